"""The note of an Igor wave: KEY:VALUE; or KEY#VALUE on lines, as two acquisition programs write it."""

import re

from twin.protocol import Covariate
from twin.readers import quantities
from twin.readers.clamps import IMPOSED, MEASURED, unstated
from twin.readers.quantities import measures


def fields(note: str) -> dict[str, str]:
    """KEY:VALUE; or KEY#VALUE on lines; a key that comes twice with different values is left out."""
    found: dict[str, set[str]] = {}
    for key, value in re.findall(r"(?:^|[;\r\n])\s*([A-Za-z_][\w ]*?)\s*[:#]([^;\r\n]*)", note.replace("\r", "\n")):
        found.setdefault(key, set()).add(value.strip())
    return {key: values.pop() for key, values in found.items() if len(values) == 1}


def clamp(found: dict[str, str], kinds: set[str], source: str) -> Covariate:
    """The unit of the only output says what was imposed: an output in amperes is a current clamp.

    Args:
        found: the fields of the note.
        kinds: "V", "A" or both: what the waves of the sweep are.
        source: where the note is.
    """
    outputs = {key: value for key, value in found.items() if re.fullmatch(r"DACUNITS\d+", key)}
    imposed = {measures(value) for value in outputs.values()}
    clamps = [name for name in ("current", "voltage") if imposed == {IMPOSED[name]} and MEASURED[name] in kinds]
    if not clamps:
        return unstated("V" in kinds, "the waves do not say it")
    words = "; ".join(f"{key}#{value}" for key, value in outputs.items())
    return Covariate(clamps[0], "1", "computed", f"unit of the output in the {source}", verbatim=words)


def compensation(found: dict[str, str], source: str) -> dict[str, Covariate]:
    """COMP_ON:0 switches both compensations off; the units of those that are on are not stated."""
    names = {
        "COMP_RS": ("series_resistance_compensation", "%"),
        "COMP_CM": ("whole_cell_capacitance_compensation", "pF"),
    }
    made = {}
    for key, (name, unit) in names.items():
        if key in found and "COMP_ON" in found:
            words = f"COMP_ON:{found['COMP_ON']};{key}:{found[key]}"
            off = found["COMP_ON"] == "0"
            made[name] = Covariate(0.0 if off else None, unit, "reported" if off else "unreported", source, words)
    return made


def temperature(found: dict[str, str], source: str) -> dict[str, Covariate]:
    """The one temperature that the note has, if it has a unit."""
    stated = [value for key, value in found.items() if key.lower().startswith("temp") and value]
    if len(stated) != 1:
        return {}
    return {"temperature": quantities.covariate(stated[0], "degC", source, quantities.parse(stated[0], "degC"))}
