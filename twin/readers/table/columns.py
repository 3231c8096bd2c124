"""The columns of a text table, or the arrays of a numpy archive."""

import abc
import zipfile
from pathlib import Path

import numpy as np

from twin.errors import InputError
from twin.readers.libraries import scaled
from twin.readers.quantities import convert, measures
from twin.readers.table.layout import Column

_DELIMITERS = ("\t", ";", ",")
_ZIP = b"PK"


class Table(abc.ABC):
    """Named columns; `used` collects those that were asked for."""

    def __init__(self, path: Path, names: list[str]) -> None:
        self.path = path
        self.names = names
        self.used: set[str] = set()

    @abc.abstractmethod
    def _take(self, name: str, text: bool = False) -> np.ndarray:
        """One column as it is."""

    def take(self, name: str, text: bool = False) -> np.ndarray:
        """One column, of numbers unless `text`."""
        if name not in self.names:
            raise InputError(f"{self.path}: has no column {name!r}; its columns are: {', '.join(self.names)}.")
        self.used.add(name)
        array = self._take(name, text)
        if not text and (array.dtype.kind not in "iufb" or not array.size):
            raise InputError(f"{self.path}: {name!r} holds {array.dtype} of the shape {array.shape}; wanted numbers.")
        return array

    def rows(self, column: Column) -> np.ndarray:
        """Sweeps as rows, (sweep, time), in the unit that a recording keeps."""
        arrays = [self.take(name) for name in column.names]
        if len(arrays) > 1 and any(array.ndim != 1 or len(array) != len(arrays[0]) for array in arrays):
            raise InputError(
                f"{self.path}: {', '.join(column.names)} have the shapes {[array.shape for array in arrays]}; wanted "
                "one dimension, the same length for each."
            )
        return self._scaled(np.stack(arrays) if len(arrays) > 1 else arrays[0], column)

    def flat(self, column: Column) -> np.ndarray:
        """One column of one dimension, in the unit that a recording keeps."""
        if len(column.names) != 1:
            raise InputError(f"{self.path}: {', '.join(column.names)} are {len(column.names)} columns; wanted one.")
        array = self._scaled(self.take(column.names[0]), column)
        if array.ndim != 1:
            raise InputError(f"{self.path}: {column.names[0]!r} has the shape {array.shape}; wanted one dimension.")
        return array.astype(np.float64)

    def population(self, column: Column) -> np.ndarray:
        """(trial, time, unit): a column for each unit, or an array (time), (time, unit) or (trial, time, unit)."""
        array = (
            np.stack([self.take(name) for name in column.names], axis=-1)
            if len(column.names) > 1
            else self.take(column.names[0])
        )
        if not 1 <= array.ndim <= 3:
            raise InputError(
                f"{self.path}: {column.names[0]!r} has the shape {array.shape}; wanted (trial, time, unit)."
            )
        return array[None, :, None] if array.ndim == 1 else array[None] if array.ndim == 2 else array

    def texts(self, column: Column) -> np.ndarray:
        """A column of names."""
        array = self.take(column.names[0], text=True).ravel()
        return np.array([str(one) for one in array.tolist()], dtype=object)

    def _scaled(self, array: np.ndarray, column: Column) -> np.ndarray:
        if measures(column.unit) is None or column.unit == column.kept:
            return array
        return scaled(array, convert(1.0, column.unit, column.kept))


class Text(Table):
    """A text table: names in the first line, then a row of numbers in each; lines that start with # are left out."""

    def __init__(self, path: Path) -> None:
        with open(path, encoding="utf-8-sig") as file:
            lines = (line for line in file if line.strip() and not line.startswith("#"))
            header = next(lines, "").rstrip("\r\n")
        self._delimiter = next((one for one in _DELIMITERS if one in header), ",")
        names = [name.strip().strip('"') for name in header.split(self._delimiter)]
        if not header or len(set(names)) != len(names) or all(_is_number(name) for name in names):
            raise InputError(f"{path}: the first line is {header[:80]!r}; wanted the names of the columns, each once.")
        super().__init__(path, names)

    def _take(self, name: str, text: bool = False) -> np.ndarray:
        with open(self.path, encoding="utf-8-sig") as file:
            lines = (line for line in file if line.strip() and not line.startswith("#"))
            next(lines)
            try:
                return np.loadtxt(
                    lines, str if text else np.float64, comments=None, delimiter=self._delimiter,
                    usecols=self.names.index(name), ndmin=1, quotechar='"',
                )  # fmt: skip
            except ValueError as error:
                raise InputError(f"{self.path}: the column {name!r} is not a column of numbers ({error}).") from error


class Archive(Table):
    """A numpy archive."""

    def __init__(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as archive:
            super().__init__(path, list(archive.files))

    def _take(self, name: str, text: bool = False) -> np.ndarray:
        with np.load(self.path, allow_pickle=False) as archive:
            return np.asarray(archive[name])


def open_table(path: Path) -> Table:
    """The table in a file, by its first bytes: a zip file is a numpy archive, anything else is text."""
    with open(path, "rb") as file:
        start = file.read(2)
    if start == _ZIP and not zipfile.is_zipfile(path):
        raise InputError(f"{path}: begins as a numpy archive and was cut off; copy the file again.")
    return Archive(path) if start == _ZIP or path.suffix.lower() == ".npz" else Text(path)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
