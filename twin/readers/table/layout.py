"""The TOML file that states what the columns of a table are."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import InputError
from twin.protocol import KNOWN, Covariate, Protocol
from twin.readers.quantities import measures

_SIGNALS = ("sweeps", "spikes", "counts", "fluorescence")
_EXAMPLES = {"V": '"mV"', "A": '"pA"', "s": '"s"'}


@dataclasses.dataclass(frozen=True)
class Column:
    """Names of the columns (or of the array) of one quantity, their unit and the unit that a recording keeps."""

    names: tuple[str, ...]
    unit: str
    kept: str


@dataclasses.dataclass(frozen=True)
class Layout:
    """The [table] of a TOML file, and the covariates beside it."""

    path: Path
    signal: str
    fields: dict[str, Any]
    covariates: dict[str, Covariate]

    def missing(self, where: str, write: str) -> InputError:
        """The error for something that is left out."""
        return InputError(f"{self.path}: {where} is missing; write {write}.")

    def has(self, quantity: str) -> bool:
        """Whether the file names a column of that quantity."""
        return quantity in self._columns()

    def column(self, quantity: str, kept: str | None) -> Column:
        """The column of a quantity, whose unit has to be of the same kind as `kept` (any unit where that is None)."""
        example = _EXAMPLES.get(measures(kept) or "", '"dF/F"') if kept else '"dF/F" (or "1" for arbitrary units)'
        if not self.has(quantity):
            raise self.missing(f"{quantity} in [table.columns]", f'{quantity} = {{column = "NAME", unit = {example}}}')
        return self._column(f"table.columns.{quantity}", self._columns()[quantity], kept, example)

    def plain(self, quantity: str) -> Column:
        """The column of something without unit: counts, names."""
        if not self.has(quantity):
            raise self.missing(f"{quantity} in [table.columns]", f'{quantity} = {{column = "NAME"}}')
        return self._column(
            f"table.columns.{quantity}", {"unit": "1", **_as_table(self._columns()[quantity])}, "1", '"1"'
        )

    def time(self) -> Column:
        """The column of times, kept in s."""
        return self._column("table.time", self.fields["time"], "s", '"s" or "ms"')

    def streams(self, role: str) -> dict[str, Column]:
        """The columns of [table.stimulus] and the like, by name."""
        described = self.fields.get(role, {})
        if not isinstance(described, dict):
            raise self.missing(
                f"[table.{role}]", f'a table such as [table.{role}] light = {{column = "NAME", unit = "mW"}}'
            )
        return {name: self._column(f"table.{role}.{name}", given, None, '"1"') for name, given in described.items()}

    def number(self, key: str, what: str) -> float:
        """A number of [table]."""
        value = self.fields.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            found = "is missing" if value is None else f"is {value!r}"
            raise InputError(f"{self.path}: {key} in [table] {found}; write {key} = NUMBER, {what}.")
        return float(value)

    def text(self, key: str, what: str, allowed: tuple[str, ...]) -> str:
        """A word of [table] out of those allowed."""
        value = self.fields.get(key)
        if value not in allowed:
            found = "is missing" if value is None else f"is {value!r}"
            raise InputError(f"{self.path}: {key} in [table] {found}; write {key} = {what}.")
        return str(value)

    def _columns(self) -> dict[str, Any]:
        columns = self.fields.get("columns")
        if not isinstance(columns, dict):
            raise self.missing(
                "[table.columns]", 'a table such as [table.columns] voltage = {column = "V", unit = "mV"}'
            )
        return columns

    def _column(self, where: str, given: Any, kept: str | None, example: str) -> Column:
        fields = _as_table(given)
        names = fields.get("column")
        names = [names] if isinstance(names, str) else names
        if not isinstance(names, list) or not names or not all(isinstance(one, str) for one in names):
            raise InputError(
                f'{self.path}: [{where}] does not name its column; write {{column = "NAME", unit = {example}}}.'
            )
        unit = fields.get("unit")
        if not isinstance(unit, str) or not unit:
            raise InputError(f"{self.path}: [{where}] has no unit; write unit = {example}.")
        if kept not in (None, "1") and measures(unit) != measures(str(kept)):
            raise InputError(
                f"{self.path}: [{where}] has the unit {unit!r}, not one of the kind {kept}; write unit = {example}."
            )
        return Column(tuple(names), unit, kept or unit)


def read_layout(path: Path) -> Layout:
    """The layout of a table.

    Raises:
        InputError: the file is no TOML, has no [table], names no known signal, or a covariate is not one.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give an existing TOML file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not TOML ({error}).") from error
    fields = tables.pop("table", None)
    layout = Layout(path, "", fields if isinstance(fields, dict) else {}, {})
    if not layout.fields:
        raise layout.missing("[table]", '[table] with signal = "sweeps", "spikes", "counts" or "fluorescence"')
    signal = layout.text("signal", '"sweeps", "spikes", "counts" or "fluorescence"', _SIGNALS)
    return dataclasses.replace(layout, signal=signal, covariates=_covariates(path, tables))


def _covariates(path: Path, tables: dict[str, Any]) -> dict[str, Covariate]:
    allowed = {field.name for field in dataclasses.fields(Covariate)}
    made = {}
    for name, table in tables.items():
        if not isinstance(table, dict) or not set(table) <= allowed:
            raise InputError(
                f"{path}: [{name}] has to be a table with fields out of {', '.join(sorted(allowed))}; found {table!r}."
            )
        unit = KNOWN.get(name, ("1", ""))[0]
        try:
            made[name] = Covariate(**{"value": None, "unit": unit, "source": path.name, **table})
            Protocol({name: made[name]})
        except (InputError, TypeError) as error:
            raise InputError(f"{path}: [{name}]: {error}") from error
    return made


def _as_table(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {"column": given}
