"""What a report is made of, as values, and its machine-readable half.

The half for programs is `{"name", "versions", "command", "seed", "claims", "scores"}`. It holds no time stamp and no
absolute path, so that the same inputs, seed and versions give the same bytes.
"""

import dataclasses
import json
import math
import numbers
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from xml.etree import ElementTree

from twin.errors import InputError
from twin.report.check import validate
from twin.report.vocabulary import MetricNote

Cell = str | int | float | None

_SVG = "{http://www.w3.org/2000/svg}"
_ACTIVE_ELEMENTS = {"script", "foreignObject", "image", "a", "iframe", "animate", "set"}


@dataclasses.dataclass(frozen=True)
class Figure:
    """A drawing that travels inside the page.

    Attributes:
        svg: one `<svg>` element that refers to nothing outside itself; `twin.report.figures` makes them.
        alt: what the drawing shows, for those who cannot see it.
        caption: a sentence printed below it.
    """

    svg: str
    alt: str
    caption: str = ""

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise InputError("a figure has no alt text; say in a sentence what it shows.")
        _check_svg(self.svg)


@dataclasses.dataclass(frozen=True)
class Table:
    """A small table: numbers are shown with three significant digits, None as a dash.

    Attributes:
        columns: headings, each with its unit, such as "resting potential (mV)".
        rows: as many cells as there are columns; the first cell names the row.
        caption: a sentence printed above it.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""

    def __post_init__(self) -> None:
        for index, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise InputError(
                    f"table row {index + 1} has {len(row)} cells for {len(self.columns)} columns "
                    f"({', '.join(self.columns)}); give one each, None where a value is not known."
                )
            for column, cell in zip(self.columns, row, strict=True):
                if not isinstance(cell, str):
                    _plain(cell, f"table row {index + 1}, column {column!r}")


@dataclasses.dataclass(frozen=True)
class Section:
    """One heading of the page with, in this order, its text, items, table and figure.

    Attributes:
        title: the heading.
        text: plain text; a blank line starts a new paragraph.
        items: a list of sentences.
        table: see `Table`.
        figure: see `Figure`.
    """

    title: str
    text: str = ""
    items: tuple[str, ...] = ()
    table: Table | None = None
    figure: Figure | None = None


@dataclasses.dataclass(frozen=True)
class Report:
    """Everything that is said about one evaluation.

    Attributes:
        name: short name of the experiment, such as "pvopto".
        title: heading of the page.
        summary: the outcome in one sentence.
        versions: version of each package that could change a number.
        command: the command line that makes this report again.
        seed: of every random number in it.
        claims: rows {level, name, verdict, figure, low, high, n, unit, separation, margin, reason}.
        scores: rows {split, condition, model, metric, value, low, high, n, unit}.
        sections: in the order of the page.
        inputs: hash of each input, by its name; in the page only.
        metric_notes: what metrics outside `vocabulary.METRICS` mean; in the page only.
        model_notes: what models outside `vocabulary.MODELS` are, or mean here instead; in the page only.
        created: when it was made, in the caller's words; in the page only, so leave it out for a reproducible page.
    """

    name: str
    title: str
    summary: str
    versions: Mapping[str, str]
    command: str
    seed: int
    claims: Sequence[Mapping[str, Any]] = ()
    scores: Sequence[Mapping[str, Any]] = ()
    sections: tuple[Section, ...] = ()
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    metric_notes: Mapping[str, MetricNote] = dataclasses.field(default_factory=dict)
    model_notes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    created: str | None = None


def as_dict(report: Report) -> dict[str, Any]:
    """The machine-readable half of a report, in plain Python numbers.

    Raises:
        InputError: a row does not follow the schema, or a number is not finite; see `twin.report.check.validate`.
    """
    where = f"report {report.name!r}"
    document = {
        "name": report.name,
        "versions": dict(report.versions),
        "command": portable_command(report.command),
        "seed": _plain(report.seed, f"{where}, seed"),
        "claims": [_plain_row(row, f"{where}, claim {index + 1}") for index, row in enumerate(report.claims)],
        "scores": [_plain_row(row, f"{where}, score {index + 1}") for index, row in enumerate(report.scores)],
    }
    validate(document)
    return document


def to_json(report: Report) -> str:
    """report.json: keys sorted, floats in the shortest form that reads back exactly, strict JSON."""
    return json.dumps(as_dict(report), sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def portable_command(command: str) -> str:
    """A command line without what differs between machines.

    An absolute path keeps its last part and the folder after `--out` becomes OUT:
    "/usr/bin/twin demo --out /tmp/x" -> "twin demo --out OUT".

    Raises:
        InputError: the text is no command line, such as one with an open quotation.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError(f"the command {command!r} cannot be read ({error}); give it as typed in a shell.") from error
    portable = []
    for before, word in zip(["", *words], words, strict=False):
        option, equals, value = word.rpartition("=")
        is_out = before == "--out" or option == "--out"
        portable.append(option + equals + ("OUT" if is_out else _last_part(value)))
    return shlex.join(portable)


def _last_part(word: str) -> str:
    return PurePosixPath(word).name or "/" if word.startswith("/") else word


def _plain_row(row: Any, where: str) -> Any:
    if not isinstance(row, Mapping):
        return row  # `validate` refuses it with a sentence
    return {key: cell if isinstance(cell, str) else _plain(cell, f"{where}, {key}") for key, cell in row.items()}


def _plain(value: Any, where: str) -> int | float | None:
    if value is None:
        return None
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number):
            return number
        raise InputError(f"{where} is {number}; a report holds finite numbers, so give None where one is not known.")
    raise InputError(f"{where} is {value!r}, a {type(value).__name__}; give text, a plain number or None.")


def _check_svg(svg: str) -> None:
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise InputError(f"the figure's SVG cannot be read ({error}); make it with twin.report.figures.") from error
    if root.tag != f"{_SVG}svg" or not svg.startswith("<svg"):
        raise InputError(f"a figure starts with {svg[:20]!r}; wanted one <svg> element and nothing before it.")
    for element in root.iter():
        name = element.tag.removeprefix(_SVG) if isinstance(element.tag, str) else ""
        texts = [*element.attrib.values(), element.text or ""] if name == "style" else [*element.attrib.values()]
        leaves = any("url(" in text.replace("url(#", "") or "@import" in text for text in texts)
        links = any(key.endswith("href") and not value.startswith("#") for key, value in element.attrib.items())
        if name in _ACTIVE_ELEMENTS or leaves or links or any(key.startswith("on") for key in element.attrib):
            raise InputError(f"the figure's <{name}> acts or refers to something outside the page; draw it as shapes.")
