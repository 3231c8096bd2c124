"""The NeuroElectro summary table: read strictly, and the rows and transforms of Tripathy et al. 2015.

J. Neurophysiol. 113:3474. One row is one neuron type in one article.
"""

import csv
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from twin.errors import InputError

FILE = "article_ephys_metadata_summary_10_24_13.csv"
NOT_REPORTED = "Not reported"


@dataclasses.dataclass(frozen=True)
class Property:
    """A measured property: its column in the file, its unit, and whether it is used as a decimal logarithm."""

    name: str
    column: str
    unit: str
    log: bool

    @property
    def label(self) -> str:
        """Its name in a text, such as "log10 input resistance"."""
        return ("log10 " if self.log else "") + self.name.replace("_", " ")


PROPERTIES = (
    Property("input_resistance", "ir", "MΩ", True),
    Property("resting_potential", "rmp", "mV", False),
    Property("time_constant", "tau", "ms", True),
    Property("spike_amplitude", "amp", "mV", False),
    Property("spike_half_width", "hw", "ms", True),
    Property("spike_threshold", "thresh", "mV", False),
)
NAMES = tuple(one.name for one in PROPERTIES)

# Our names of the columns of conditions; a missing condition is a level of its own.
FACTORS = {
    "species": "Species",
    "strain": "Strain",
    "electrode": "ElectrodeType",
    "preparation": "PrepType",
    "junction_potential": "JxnPotential",
}
LABELS = {"neuron_type": "NeuronType", "lab": "LastAuthor", "article": "MetadataLink"}
NUMBERS = {"age_days": "Age", "temperature": "Temp", "junction_offset_mv": "JxnOffset"}
_WORDS = {
    "electrode": {"Patch-clamp", "Sharp"},
    "preparation": {"in vitro", "in vivo", "cell culture"},
    "junction_potential": {"Corrected", "Not corrected"},
}
_MISSING = {"", "nan", "unreported", "not reported"}

# Rows of the authors' analysis. Their lists of types that they renamed, and that they had not validated.
SPECIES = ("Rats", "Mice", "Guinea Pigs")
YOUNGEST_DAYS = 10**0.67
SAME_TYPE = {
    "Nucleus accumbens shell neuron": "Nucleus accumbens medium spiny neuron",
    "Nucleus accumbens core neuron": "Nucleus accumbens medium spiny neuron",
    "Neocortex pyramidal cell": "Neocortex uncharacterized cell",
}
NOT_VALIDATED = (
    "Neocortex uncharacterized cell",
    "Cochlea hair cell inner",
    "Dorsal root ganglion cell",
    "DRG temperature cell",
    "Spinal cord intermediate horn motor neuron sympathetic",
    "Spinal cord ventral horn interneuron IA",
    "Spinal cord ventral horn interneuron II",
    "Spinal cord ventral horn interneuron V2",
    "Spinal cord ventral horn motor neuron alpha",
)
_OUTLIER_SD = 2.0  # of time constants, around their median


@dataclasses.dataclass(frozen=True, eq=False)
class Selected:
    """The rows that are analysed.

    Attributes:
        rows: columns along `row`, one for each type in an article: labels, factors, `log_age`, `temperature`, and the
            properties on the scale on which they are analysed (decimal logarithms where `Property.log`).
        dropped: why rows or values were left out, and how many, in order.
        time_constants_ms: lower and upper limit that a time constant had to keep to.
    """

    rows: xr.Dataset
    dropped: tuple[tuple[str, int], ...]
    time_constants_ms: tuple[float, float]


def read(folder: Path) -> xr.Dataset:
    """The whole table as it is in a folder, one column along `row` for each of our names.

    Raises:
        InputError: the folder or its file is missing or unreadable, a column is missing, a line is cut off, a number is
            none, or a condition is a word that the table does not use.
    """
    path = _file_in(folder)
    header, lines = _lines(path)
    wanted = [one.column for one in PROPERTIES] + [*FACTORS.values(), *LABELS.values(), *NUMBERS.values()]
    missing = [column for column in wanted if column not in header]
    if missing:
        raise InputError(
            f"{path.name}: has no column {', '.join(missing)}; wanted the columns {', '.join(wanted)} of the "
            "NeuroElectro summary table of 24 October 2013."
        )
    table = {column: [fields[header.index(column)].strip() for _, fields in lines] for column in wanted}
    at = [line for line, _ in lines]
    columns: dict[str, np.ndarray] = {}
    for name, column in LABELS.items():
        columns[name] = _labels(path, column, table[column], at)
    for name, column in FACTORS.items():
        columns[name] = _levels(path, name, column, table[column], at)
    for name, column in {**NUMBERS, **{one.name: one.column for one in PROPERTIES}}.items():
        columns[name] = _numbers(path, column, table[column], at)
    for one in (*(one for one in PROPERTIES if one.log), None):
        name, column = ("age_days", "Age") if one is None else (one.name, one.column)
        for line, value in zip(at, columns[name], strict=True):
            if value <= 0:
                raise InputError(
                    f"{path.name}, line {line}: {column} is {value:g}; wanted a number above 0, or nothing."
                )
    return xr.Dataset({name: ("row", column) for name, column in columns.items()})


def texts(rows: xr.Dataset, name: str) -> np.ndarray:
    """A column of labels or levels as an array of text, `(row,)`."""
    return rows[name].values.astype(str)


def distinct_within(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """For each row, how many different values its group has: values abb of groups 112 give 2, 2, 1."""
    names, at = np.unique(groups, return_inverse=True)
    counts = np.array([len(np.unique(values[at == one])) for one in range(len(names))], np.int64)
    return counts[at]


def select(table: xr.Dataset, time_constants_ms: tuple[float, float] | None = None) -> Selected:
    """The authors' rows and transforms: rodents older than 4.7 days, no culture, validated types.

    Args:
        table: as `read` gives it.
        time_constants_ms: the limits found on other rows; found on these by default.

    Raises:
        InputError: no row is left.
    """
    types = np.array([SAME_TYPE.get(name, name) for name in texts(table, "neuron_type").tolist()], object)
    rows, dropped = table.assign(neuron_type=("row", types)), []
    for reason, keep in _KEPT.items():
        kept = keep(rows)
        dropped.append((reason, int((~kept).sum())))
        rows = rows.isel(row=kept)
    if rows.sizes["row"] == 0:
        raise InputError(
            f"{FILE}: none of {table.sizes['row']} rows is left after the published selection; give the full table."
        )
    values = {one.name: rows[one.name].values for one in PROPERTIES}
    low, high = time_constants_ms or _spread(values["time_constant"])
    outlying = (values["time_constant"] < low) | (values["time_constant"] > high)
    dropped.append((f"time constants outside {max(low, 0):.1f} to {high:.1f} ms (the value only)", int(outlying.sum())))
    values["time_constant"] = np.where(outlying, np.nan, values["time_constant"])
    values |= {one.name: np.log10(values[one.name]) for one in PROPERTIES if one.log}
    values["log_age"] = np.log10(rows["age_days"].values)
    return Selected(
        rows.assign({name: ("row", column) for name, column in values.items()}), tuple(dropped), (low, high)
    )


_KEPT: dict[str, Callable[[xr.Dataset], np.ndarray]] = {
    "younger than 4.7 days, or age not reported": lambda rows: rows["age_days"].values > YOUNGEST_DAYS,
    "cell culture": lambda rows: texts(rows, "preparation") != "cell culture",
    "neither rat, mouse nor guinea pig": lambda rows: np.isin(texts(rows, "species"), SPECIES),
    "types that the authors had not validated": lambda rows: ~np.isin(texts(rows, "neuron_type"), NOT_VALIDATED),
}


def _spread(values: np.ndarray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return -math.inf, math.inf
    median, deviation = float(np.median(known)), float(known.std(ddof=1))
    return median - _OUTLIER_SD * deviation, median + _OUTLIER_SD * deviation


def _file_in(folder: Path) -> Path:
    path = folder / FILE
    if path.is_file():
        return path
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
    else:
        names = sorted(one.name + ("/" if one.is_dir() else "") for one in folder.iterdir())
        below = next((one for one in names if one.endswith("/") and (folder / one / FILE).is_file()), None)
        shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
        found = f"holds {shown or 'nothing'}" + (f", and the file lies below, in {below}" if below else "")
    raise InputError(f"{folder.name or folder}: {found}; give the folder that holds {FILE} itself.")


def _lines(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and lines with their numbers. The published file is Latin-1, copies of it often UTF-8."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror}); give a readable file.") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    try:
        reader = csv.reader(text.splitlines(keepends=True), strict=True)
        lines = [(reader.line_num, fields) for fields in reader if fields]
    except csv.Error as error:
        raise InputError(f"{path.name}: is no comma-separated table ({error}); give the file as published.") from error
    if len(lines) < 2:
        raise InputError(f"{path.name}: has {len(lines)} lines; wanted a header and a line for each type and article.")
    (_, header), *rest = lines
    for line, fields in rest:
        if len(fields) != len(header):
            raise InputError(
                f"{path.name}, line {line}: has {len(fields)} fields and the header {len(header)}; the file is cut off "
                "or not as published, so give it again."
            )
    return header, rest


def _labels(path: Path, column: str, cells: list[str], at: list[int]) -> np.ndarray:
    for line, cell in zip(at, cells, strict=True):
        if not cell:
            raise InputError(f"{path.name}, line {line}: {column} is empty; wanted a name.")
    return np.array(cells, dtype=object)


def _levels(path: Path, name: str, column: str, cells: list[str], at: list[int]) -> np.ndarray:
    levels = [NOT_REPORTED if cell.lower() in _MISSING else cell for cell in cells]
    allowed = _WORDS.get(name)
    for line, level in zip(at, levels, strict=True):
        if allowed and level != NOT_REPORTED and level not in allowed:
            raise InputError(
                f"{path.name}, line {line}: {column} is {level!r}; wanted one of {', '.join(sorted(allowed))}, or "
                "nothing where the article does not say."
            )
    return np.array(levels, dtype=object)


def _numbers(path: Path, column: str, cells: list[str], at: list[int]) -> np.ndarray:
    numbers = []
    for line, cell in zip(at, cells, strict=True):
        try:
            number = math.nan if cell.lower() in _MISSING else float(cell)
        except ValueError:
            number = math.inf
        if math.isinf(number):
            raise InputError(f"{path.name}, line {line}: {column} is {cell!r}; wanted a number, or nothing.")
        numbers.append(number)
    return np.array(numbers)
