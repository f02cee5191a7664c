"""Problems in files: a specification in YAML, checked as a whole, becomes a list of runs."""

from bestsubset.batch.expansion import BatchRun
from bestsubset.batch.plan import read_specs

__all__ = ["BatchRun", "read_specs"]
