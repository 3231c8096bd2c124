"""Check the machine-readable half of a report against its schema, without a schema library at run time.

`report.schema.json` is the published contract; the test-suite holds this module and that file to the same answers.
"""

import importlib.resources
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from twin.errors import InputError
from twin.report.vocabulary import LEVELS, SPLITS, VERDICTS

Check = Callable[[Any], str | None]


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of report.json."""
    return json.loads((importlib.resources.files("twin.report") / "report.schema.json").read_text("utf-8"))


def validate(document: Mapping[str, Any]) -> None:
    """Check a report as it was read from, or is about to be written to, report.json.

    Raises:
        InputError: a missing or an unknown field, a word outside the vocabulary, a number that is not finite, an
            interval whose ends are swapped, a verdict `not_testable` without a reason, or two scores for one place.
    """
    label = f"report {document['name']!r}" if isinstance(document.get("name"), str) else "report"
    _check_row(label, document, _REPORT)
    for package, version in document["versions"].items():
        if not (isinstance(package, str) and isinstance(version, str)):
            raise InputError(f"{label}: versions has {package!r}: {version!r}; give both as text.")
    for index, claim in enumerate(document["claims"]):
        where = f"{label}, claim {index + 1}"
        _check_row(where, claim, _CLAIM)
        _check_order(where, claim)
        if claim["verdict"] == "not_testable" and not claim["reason"]:
            raise InputError(f"{where} ({claim['name']}) is not_testable without a reason; say what was missing.")
    places: dict[tuple[Any, ...], int] = {}
    for index, score in enumerate(document["scores"]):
        where = f"{label}, score {index + 1}"
        _check_row(where, score, _SCORE)
        _check_order(where, score)
        place = (score["split"], score["condition"], score["model"], score["metric"])
        if place in places:
            raise InputError(f"{where} repeats score {places[place] + 1} for {place}; keep one, or name a condition.")
        places[place] = index


def _check_row(where: str, row: Any, fields: Mapping[str, Check]) -> None:
    if not isinstance(row, Mapping):
        raise InputError(f"{where} is a {type(row).__name__}; wanted a mapping with the fields {', '.join(fields)}.")
    missing = [field for field in fields if field not in row]
    unknown = [str(field) for field in row if field not in fields]
    if missing or unknown:
        raise InputError(
            f"{where} lacks {', '.join(missing) or 'nothing'} and has the unknown {', '.join(unknown) or 'nothing'}; "
            f"give exactly {', '.join(fields)} (null where a value is not known)."
        )
    for field, check in fields.items():
        wanted = check(row[field])
        if wanted:
            raise InputError(f"{where} has {field} = {row[field]!r}; wanted {wanted}.")


def _check_order(where: str, row: Mapping[str, Any]) -> None:
    if row["low"] is not None and row["high"] is not None and row["low"] > row["high"]:
        raise InputError(f"{where} has the interval {row['low']!r} to {row['high']!r}; give the lower end as low.")


def _word_of(words: Mapping[str, str]) -> Check:
    return lambda value: None if isinstance(value, str) and value in words else f"one of {', '.join(words)}"


def _name(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "text that is not empty"


def _metric(value: Any) -> str | None:
    fits = isinstance(value, str) and re.fullmatch("[a-z][a-z0-9_]*", value)
    return None if fits else "a metric in lower case, such as bits_per_spike"


def _text_or_null(value: Any) -> str | None:
    return None if value is None or isinstance(value, str) else "text or null"


def _number_or_null(value: Any) -> str | None:
    if value is None:
        return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return None if is_number and math.isfinite(value) else "a finite number, or null when it is not known"


def _count_or_null(value: Any) -> str | None:
    if value is None:
        return None
    return None if type(value) is int and value >= 0 else "a whole number of 0 or more, or null"


def _whole_number(value: Any) -> str | None:
    return None if type(value) is int else "a whole number"


def _list(value: Any) -> str | None:
    return None if isinstance(value, list) else "a list"


def _mapping(value: Any) -> str | None:
    return None if isinstance(value, Mapping) else "a mapping from package to version"


_REPORT: dict[str, Check] = {
    "name": _name,
    "versions": _mapping,
    "command": _name,
    "seed": _whole_number,
    "claims": _list,
    "scores": _list,
}
_INTERVAL: dict[str, Check] = {
    "low": _number_or_null,
    "high": _number_or_null,
    "n": _count_or_null,
    "unit": _text_or_null,
}
_CLAIM: dict[str, Check] = {
    "level": _word_of(LEVELS),
    "name": _name,
    "verdict": _word_of(VERDICTS),
    "figure": _number_or_null,
    **_INTERVAL,
    "separation": _text_or_null,
    "margin": _number_or_null,
    "reason": _text_or_null,
}
_SCORE: dict[str, Check] = {
    "split": _word_of(SPLITS),
    "condition": _text_or_null,
    "model": _name,
    "metric": _metric,
    "value": _number_or_null,
    **_INTERVAL,
}
