"""The header of a certificate's file: its fields and what must be true of them; FORMAT.md, sections 2, 9 and 10."""

from __future__ import annotations

import math
import sys
from typing import Any

FORMAT = "bestsubset certificate"
LOSSES_WITH_KINKS = ("absolute", "quantile", "hinge")
_DATA = {"n": int, "p": int, "X": str, "y": str, "sample_weight": (str, type(None))}
_SETTINGS = {
    "loss": str,
    "fit_intercept": bool,
    "standardize": bool,
    "lambda0": float,
    "lambda1": float,
    "lambda2": float,
    "include": list,
    "exclude": list,
    "groups": list,
    "bounds": bool,
}
# What the features of version 2 add to settings and to claims.
_MORE_SETTINGS: dict[str, dict[str, Any]] = {
    "boxes": {},
    "dual": {"tau": (int, float, type(None))},
    "rules": {"rules": list, "single": list},
}
_MORE_OF_A_CLAIM: dict[str, dict[str, Any]] = {
    "boxes": {},
    "dual": {"together": int},
    "rules": {"model": list},
}


class FileError(Exception):
    """What is wrong with the file."""


def require(condition: bool, what: str) -> None:
    if not condition:
        raise FileError(what)


def check_header(header: Any) -> list[str]:
    """Require that a header is one, claims left aside; return the features it uses."""
    require(isinstance(header, dict) and header.get("format") == FORMAT, f"the format is not {FORMAT!r}")
    features = _features(header)
    expected = {"data": dict, "settings": dict, "feature_names": list, "claims": list, "digest": str}
    check_fields(header, expected, "the header", exact=False)
    check_fields(header["data"], _DATA, "data")
    check_fields(header["settings"], _with(_SETTINGS, _MORE_SETTINGS, features), "settings")
    _check_loss(header["settings"])
    _check_settings(header["settings"], header["data"])
    if "rules" in features:
        _check_rules(header["settings"], header["data"]["p"])
    return features


def check_entry(entry: Any, number: int, p: int, features: list[str]) -> None:
    """Require that a claim's entry is one."""
    where = f"claim {number}"
    require(isinstance(entry, dict), f"{where} is not an object")
    check_fields(entry, _with({"k": int, "objective": float, "dual_bound": float}, _MORE_OF_A_CLAIM, features), where)
    require(_are_distinct(entry.get("model", []), p), f"{where} has a model that is no set of columns")
    require(1 <= entry["k"] <= p, f"{where} has k outside 1 … p")


def _with(fields: dict[str, Any], more: dict[str, dict[str, Any]], features: list[str]) -> dict[str, Any]:
    return {name: kind for part in (fields, *(more[f] for f in features)) for name, kind in part.items()}


def _check_loss(settings: dict[str, Any]) -> None:
    loss = settings["loss"]
    require(all(settings[name] >= 0 for name in ("lambda0", "lambda1", "lambda2")), "a penalty is negative")
    if "tau" not in settings:
        require(loss == "squared", "the loss is not 'squared'")
        return
    require(loss in LOSSES_WITH_KINKS, f"the loss is none of {LOSSES_WITH_KINKS}")
    require(settings["lambda2"] == 0, "there is a ridge with a loss that has kinks")
    tau = settings["tau"]
    fits = tau is None if loss != "quantile" else tau is not None and 0 < tau < 1
    require(fits and not isinstance(tau, bool), "tau does not fit the loss")


def check_fields(entry: dict[str, Any], expected: dict[str, Any], where: str, *, exact: bool = True) -> None:
    missing = sorted(set(expected) - set(entry))
    require(not missing, f"{where} lacks {', '.join(missing)}")
    surplus = sorted(set(entry) - set(expected)) if exact else []
    require(not surplus, f"{where} has an unknown field {', '.join(surplus)}")
    for name, kind in expected.items():
        value = entry[name]
        if kind is float:
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            is_finite = is_number and abs(value) <= sys.float_info.max  # JSON has integers of any length
            require(is_finite, f"{name} of {where} is not a finite number")
        else:
            right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
            require(right, f"{name} of {where} has the wrong type")


def _check_settings(settings: dict[str, Any], data: dict[str, Any]) -> None:
    require(data["n"] >= 1 and 1 <= data["p"] < 2**31, "n or p is out of range")
    columns = [*settings["include"], *settings["exclude"]]
    for group in settings["groups"]:
        require(isinstance(group, list) and len(group) >= 2, "a group has fewer than two columns")
        columns += group
    kinds = all(isinstance(c, int) and not isinstance(c, bool) and 0 <= c < data["p"] for c in columns)
    require(kinds, "include, exclude or groups name a column outside 0 … p-1")
    grouped = [c for group in settings["groups"] for c in group]
    require(len(set(grouped)) == len(grouped), "the groups overlap")
    for name in ("include", "exclude"):
        chosen = set(settings[name])
        require(len(chosen) == len(settings[name]), f"{name} names a column twice")
        whole = all(len(chosen.intersection(group)) in (0, len(group)) for group in settings["groups"])
        require(whole, f"{name} splits a group")
    require(not set(settings["include"]) & set(settings["exclude"]), "a column is included and excluded")


def _features(header: dict[str, Any]) -> list[str]:
    """What of version 2 a certificate uses."""
    version, features = header.get("version"), header.get("features", [])
    require(type(version) is int and version in (1, 2), f"the version is {version!r}, not 1 or 2")
    known = isinstance(features, list) and all(feature in _MORE_SETTINGS for feature in features)
    fits = known and len(set(features)) == len(features) and (version == 2) == bool(features)
    require(fits, f"the features {features!r} of version {version} are none that can be checked here")
    return list(features)


def _check_rules(settings: dict[str, Any], p: int) -> None:
    for r, rule in enumerate(settings["rules"]):
        where = f"rule {r}"
        require(isinstance(rule, dict), f"{where} is not an object")
        check_fields(rule, {"columns": list, "coefs": list, "limit": float}, where)
        coefs = rule["coefs"]
        require(_are_distinct(rule["columns"], p) and len(coefs) == len(rule["columns"]), f"{where} has other columns")
        require(all(type(a) in (int, float) for a in coefs), f"{where} has coefficients that are no numbers")
        require(_is_small([*coefs, rule["limit"]]), f"{where} has numbers that are too large")
    singles = settings["single"]
    require(all(group in settings["groups"] for group in singles), "single has what is not in groups")
    require(all(singles.count(group) == 1 for group in singles), "single has a group twice")


def _is_small(numbers: list[Any]) -> bool:
    """Tell whether no sum of the numbers overflows."""
    return sum(abs(float(a)) if abs(a) <= sys.float_info.max else math.inf for a in numbers) < sys.float_info.max


def _are_distinct(columns: Any, p: int) -> bool:
    """Tell whether these are columns, each once."""
    are_numbers = all(isinstance(j, int) and not isinstance(j, bool) and 0 <= j < p for j in columns)
    return are_numbers and len(set(columns)) == len(columns)
