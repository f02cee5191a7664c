"""The fields of a problem in a specification: what may be written, and what each field means."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bestsubset.batch.fields import (
    AnyColumns,
    Columns,
    Count,
    Name,
    Positive,
    Quantiles,
    Scalar,
    Sizes,
    Weight,
    Weights,
    as_list,
)


class Section(BaseModel):
    """Fields that are known, of the types that are written: a text is no number, and 1 is not true."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Transforms(Section):
    """New columns out of those in the file, all of which look at the columns as read."""

    log: AnyColumns = Field(default=[], description="Replaced by natural logarithms, named `log(x)`.")
    sqrt: AnyColumns = Field(default=[], description="Replaced by square roots, named `sqrt(x)`.")
    square: AnyColumns = Field(default=[], description="Squares are added, named `x^2`.")
    product: AnyColumns = Field(default=[], description="Products of every two of these are added, named `x*y`.")


class Data(Section):
    """Where the numbers are, and which of them are what."""

    file: str | None = Field(default=None, description="CSV, Parquet, Feather or npz file, beside the specification.")
    dataset: str | None = Field(
        default=None, description="Data that scikit-learn ships: `diabetes`, `breast_cancer`, `iris`, `wine`, `digits`."
    )
    target: str | None = Field(
        default=None,
        description="The response's column. Data sets and npz files have their own (`target`, `y`).",
    )
    target_transform: Literal["log", "sqrt"] | None = Field(default=None, description="Applied to the response.")
    positive: Scalar = Field(
        default=None,
        description="Value of the response that is the class +1; all others are -1: `hinge`, `logistic`.",
    )
    predictors: Columns = Field(default=["*"], description="Names or patterns (`*`, `?`, `[ab]`).")
    without: AnyColumns = Field(
        default=[], description="Names or patterns of columns that are no predictors after all."
    )
    categorical: AnyColumns = Field(
        default=[],
        description="Predictors that become 0/1 columns, named `x=level`, joined by a group; the first level in sorted"
        " order is the reference and has none.",
    )
    weights: str | None = Field(default=None, description="Column of the rows' weights.")
    missing: Literal["refuse", "drop", "median"] = Field(
        default="refuse",
        description="Missing entries are an error, cost their row, or become the median of a numeric predictor.",
    )
    transforms: Transforms = Field(default=Transforms(), description="Logarithms, roots, squares and products.")


def _columns_alone(value: Any) -> Any:
    return {"columns": value} if isinstance(value, list) else value


class GroupOfColumns(Section):
    """Columns that enter together or not at all."""

    columns: Columns
    counts: Literal["columns", "one"] = Field(default="columns", description="Each counts towards k, or all as one.")


class CountOfColumns(Section):
    """A count of some columns."""

    columns: Columns
    count: Count


class Heredity(Section):
    """A column that enters only with its parents."""

    child: str
    parents: Columns
    rule: Literal["all", "any"] = Field(default="all", description="It needs all of its parents, or any.")


class Costs(Section):
    """What the chosen columns may cost together."""

    limit: Weight
    costs: dict[str, Weight] = Field(description="Cost by name or pattern.")
    other: Weight = Field(default=0.0, description="Cost of a column that is not named.")


class Signs(Section):
    """Signs of coefficients."""

    nonnegative: AnyColumns = Field(default=[], description="Columns with coefficients >= 0.")
    nonpositive: AnyColumns = Field(default=[], description="Columns with coefficients <= 0.")


class Interval(Section):
    """Bounds of coefficients, with zero between them."""

    lower: float = Field(default=float("-inf"), le=0, description="At least this, and at most 0.")
    upper: float = Field(default=float("inf"), ge=0, description="At most this, and at least 0.")


class BoundsOfColumns(Interval):
    """Bounds on the coefficients of some columns."""

    columns: Columns


class Constraints(Section):
    """Structure on the support. Columns by name, pattern, or the name of a categorical column for all of its levels."""

    include: AnyColumns = Field(default=[], description="In every model.")
    exclude: AnyColumns = Field(default=[], description="In no model.")
    groups: list[Annotated[GroupOfColumns, BeforeValidator(_columns_alone)]] = Field(
        default=[], description="In or out together: lists of columns, or `{columns, counts: columns \\| one}`."
    )
    at_most: Annotated[list[CountOfColumns], BeforeValidator(as_list)] = Field(
        default=[], description="At most so many of some columns: `{columns, count}`."
    )
    at_least: Annotated[list[CountOfColumns], BeforeValidator(as_list)] = Field(
        default=[], description="At least so many of some columns: `{columns, count}`."
    )
    implies: Annotated[list[Heredity], BeforeValidator(as_list)] = Field(
        default=[], description="A column enters only with its parents: `{child, parents, rule: all \\| any}`."
    )
    budget: Costs | None = Field(
        default=None, description="Costs sum to at most a limit: `{limit, costs: {x: 1}, other: 0}`."
    )
    signs: Signs = Field(default=Signs(), description="Signs of coefficients: `{nonnegative, nonpositive}`.")
    bounds: Annotated[list[BoundsOfColumns], BeforeValidator(as_list)] = Field(
        default=[], description="Bounds on some coefficients: `{columns, lower, upper}`."
    )
    exclude_pairs: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None, description="No two chosen columns have an absolute correlation above this."
    )


class Member(BaseModel):
    """A solver, formulation or backend: its name, or its name and some of its settings."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)

    name: str

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Limits(Section):
    """When a run stops, and on how many cores it runs."""

    time_limit: Weight | None = Field(default=None, description="Seconds of wall time.")
    gap: Weight = Field(default=1e-6, description="Relative gap at which the search may stop.")
    node_limit: Count | None = Field(default=None, description="Nodes, where the solver has such a limit.")
    memory_limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="Bytes, where the solver has such a limit."
    )
    threads: Positive | None = Field(default=None, description="Threads of a run, or all cores.")


class Outputs(Section):
    """What a run leaves behind."""

    certificate: bool = Field(default=True, description="Log the search for a certificate.")
    verify: bool = Field(default=False, description="Check the certificate against the data when the run ends.")


class ProblemSpec(Section):
    """A problem, or several of one kind: lists of `k`, `tau` and the penalties multiply."""

    name: Name = Field(description="Names the problem and its runs; no other problem may have it.")
    data: Data = Field(description="Where the numbers are.")
    loss: str = Field(default="squared", description="`squared`, `absolute`, `quantile`, `hinge`, `logistic`.")
    tau: Quantiles | None = Field(default=None, description="The quantile, or a list, for the loss `quantile`.")
    k: Sizes | None = Field(
        default=None, description="At most so many columns: a number, a list, `1..10` or `{from: 1, to: 10, step: 1}`."
    )
    lambda0: Weights = Field(default=[0.0], description="Price of each column, or a list.")
    lambda1: Weights = Field(default=[0.0], description="Weight of the absolute coefficients, or a list.")
    lambda2: Weights = Field(default=[0.0], description="Weight of the squared coefficients, or a list.")
    bounds: Interval = Field(default=Interval(), description="Bounds on every coefficient: `{lower, upper}`.")
    constraints: Constraints = Field(default=Constraints(), description="Structure on the support.")
    fit_intercept: bool = Field(default=True, description="An intercept, neither penalised nor counted.")
    standardize: bool = Field(default=False, description="Penalise the coefficients of standardised columns.")
    solver: Member | None = Field(
        default=None,
        description="A name, or `{name, …}` with settings; the problem chooses unless given.",
    )
    formulation: Member | None = Field(default=None, description="Of the solver `mio`, and of `bestsubset export`.")
    backend: Member | None = Field(default=None, description="Of the solver `mio`.")
    start: Columns | None = Field(default=None, description="Columns from which the warm start begins.")
    random_state: Count = Field(default=0, description="Seed of the warm starts.")
    limits: Limits = Field(default=Limits(), description="When a run stops.")
    criterion: Literal["aic", "aicc", "bic", "ebic", "cp", "adj_r2"] | None = Field(
        default=None, description="Chooses among the sizes in a report."
    )
    outputs: Outputs = Field(default=Outputs(), description="What a run leaves behind.")
