"""Numbers with units out of free text: "2.5-4 MOhm", "30 ± 2 °C", "~32 C", "P20-P90".

What cannot be read beyond doubt stays unreported, with its words: "room temperature" is no number, "> 1 GOhm" is a
bound, "5 mohm" is a milliohm to physics and a megaohm to its writer, and a number without a unit is one only where the
field itself has a unit.
"""

import dataclasses
import re

from twin.errors import InputError
from twin.protocol import Covariate

_PREFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9}
_SYMBOLS = {"V": "V", "A": "A", "F": "F", "s": "s", "Hz": "Hz", "Ohm": "Ohm", "W": "W", "g": "g"}
_DAY_S = 86_400.0
_MONTH_DAYS, _YEAR_DAYS = 30.4375, 365.25  # of the Julian calendar: what "6 months" is taken for
# unit text -> (dimension, factor to the base unit of the dimension, offset to it)
_UNITS: dict[str, tuple[str, float, float]] = {
    **{
        prefix + symbol: (name, 10.0**power, 0.0)
        for prefix, power in _PREFIXES.items()
        for symbol, name in _SYMBOLS.items()
    },
    "degC": ("degC", 1.0, 0.0),
    "K": ("degC", 1.0, -273.15),
    "%": ("%", 1.0, 0.0),
    "1": ("1", 1.0, 0.0),
    "min": ("s", 60.0, 0.0),
    "h": ("s", 3600.0, 0.0),
    "day": ("s", _DAY_S, 0.0),
    "week": ("s", 7 * _DAY_S, 0.0),
    "month": ("s", _MONTH_DAYS * _DAY_S, 0.0),
    "year": ("s", _YEAR_DAYS * _DAY_S, 0.0),
}
_OHM = re.compile(r"^(f|p|n|u|k|K|M|G|mega|kilo|giga|Mega|Kilo|Giga|MEG|Meg|meg)?[ -]?(?:ohms?|Ohms?|OHMS?|Ω)$")
_WORDS = {"mega": "M", "meg": "M", "kilo": "k", "giga": "G", "k": "k"}
_HERTZ = re.compile(r"^([kKMG]?)(?:hz|HZ|Hz)$")
_TEMPERATURE = re.compile(r"^(?:°|º|degrees?|deg\.?)? ?(?:C|celsius|Celsius|centigrade)$")
_SPELT = {
    "volt": "V", "volts": "V", "ampere": "A", "amperes": "A", "amp": "A", "amps": "A", "farad": "F", "farads": "F",
    "second": "s", "seconds": "s", "sec": "s", "secs": "s", "msec": "ms", "millisecond": "ms", "milliseconds": "ms",
    "millivolt": "mV", "millivolts": "mV", "picoampere": "pA", "picoamperes": "pA", "picofarad": "pF",
    "picofarads": "pF", "nanoampere": "nA", "nanoamperes": "nA", "hertz": "Hz", "kilohertz": "kHz",
    "percent": "%", "kelvin": "K", "Kelvin": "K", "minute": "min", "minutes": "min", "mins": "min",
    "hour": "h", "hours": "h", "hr": "h", "hrs": "h", "d": "day", "days": "day", "w": "week", "wk": "week",
    "wks": "week", "weeks": "week", "months": "month", "mo": "month", "years": "year", "y": "year", "yr": "year",
    "watt": "W", "watts": "W", "gram": "g", "grams": "g",
}  # fmt: skip

_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_DASH = r"(?:-|–|—|to|\.\.)"
_UNIT = r"(?:°|º)? ?(?:deg(?:rees?)?\.? )?[A-Za-zΩ%]+(?:[ -]?ohms?)?"
# A number (and its spread, or the other end of a range), and what looks like a unit. No digit, comma or bound before.
_QUANTITY = re.compile(
    rf"(?<![\w.,<>=≤≥/-])(?P<about>~|≈|ca\.? ?|approx\.? ?|about )? ?(?P<first>{_NUMBER})"
    rf"(?:(?:(?! ?to\b) ?(?P<unit_first>{_UNIT}))? ?(?P<link>±|\+/-|\+-|{_DASH}) ?(?P<second>{_NUMBER}))?"
    rf"(?![\d,]|\.\d) ?(?P<unit>{_UNIT})?"
)
_POSTNATAL = re.compile(rf"^(?:P|p|PND ?|postnatal days? )(\d+)[dD]?(?: ?(?:{_DASH}|/) ?(?:P|p|PND ?)?(\d+)[dD]?)?$")
_DURATION = "P" + "".join(rf"(?:(\d+(?:\.\d+)?){part})?" for part in "YMWD") + r"(?:T(?:\d+H)?(?:\d+M)?(?:\d+S)?)?"
_ISO_AGE = re.compile(rf"^{_DURATION}(?: ?[/–-] ?{_DURATION})?$")
_NOTHING = {
    "",
    "na",
    "n/a",
    "nan",
    "none",
    "null",
    "unknown",
    "unspecified",
    "not specified",
    "not stated",
    "?",
    "{}",
    "u",
}


@dataclasses.dataclass(frozen=True)
class Quantity:
    """A number, and one standard deviation where the text has a spread or a range."""

    value: float
    uncertainty: float | None = None


def convert(value: float, unit: str, wanted: str) -> float:
    """A number in another unit: `convert(1.5, "GOhm", "MOhm")` is 1500.

    Raises:
        InputError: one of the units is not known, or they measure different things.
    """
    known, target = known_unit(unit), known_unit(wanted)
    if known is None or target is None or _UNITS[known][0] != _UNITS[target][0]:
        raise InputError(f"{value:g} {unit!r} cannot be turned into {wanted!r}; state it in a unit of the same kind.")
    _, factor, offset = _UNITS[known]
    return (value * factor + offset - _UNITS[target][2]) / _UNITS[target][1]


def known_unit(text: str) -> str | None:
    """The one spelling of a unit that is used here: "MΩ", "Mohm" and "megaohms" are "MOhm"; None for no known unit."""
    text = _plain(text)
    if text in _UNITS:
        return text
    if match := _OHM.match(text):
        return _WORDS.get((match[1] or "").lower(), match[1] or "") + "Ohm"
    if match := _HERTZ.match(text):
        return match[1].replace("K", "k") + "Hz"
    if _TEMPERATURE.match(text):
        return "degC"
    return _SPELT.get(text)


def measures(unit: str) -> str | None:
    """What kind of thing a unit measures, as the name of its base unit: "V" for "mV"; None for no known unit."""
    known = known_unit(unit)
    return None if known is None else _UNITS[known][0]


def parse(text: str, unit: str, bare_unit: str | None = None) -> Quantity | None:
    """The one quantity that a text consists of, in `unit`; None where that is in doubt.

    Args:
        text: such as "5-10 MOhm", which is 7.5 MOhm with the standard deviation 5 / sqrt(12) = 1.44.
        unit: that the number is wanted in.
        bare_unit: unit of a number that is written without one, where the field that it comes from has a unit.
    """
    match = _QUANTITY.fullmatch(_plain(text).rstrip(".").strip())
    return _quantity(match, unit, bare_unit) if match else None


def find(text: str, unit: str, word: str) -> Quantity | None:
    """The one quantity of the kind of `unit` in a longer text, in the clause that has `word` (a pattern) in it.

    None where there is none, or more than one: then it takes a reader who understands the text.
    """
    found = [
        quantity
        for clause in re.split(r"[;,]\s|\.\s|\n", text)
        if re.search(word, clause, re.IGNORECASE)
        for match in _QUANTITY.finditer(_plain(clause))
        if match["unit"] and (quantity := _quantity(match, unit, None))
    ]
    return found[0] if len(found) == 1 else None


def age(text: str) -> Quantity | None:
    """An age in days: "P90D", "P1Y2M", "P20D/P90D" (ISO 8601), "P20–P90" (postnatal days), "8 weeks"."""
    text = text.strip()
    if match := _POSTNATAL.match(text):
        return _range(float(match[1]), float(match[2] or match[1]))
    match = _ISO_AGE.match(text)
    if match and any(match.groups()):
        first, last = match.groups()[:4], match.groups()[4:]
        return _range(_days(first), _days(last if any(last) else first))
    return parse(text, "day")


def covariate(text: str, unit: str, source: str, quantity: Quantity | None) -> Covariate:
    """A covariate with its words: reported where a quantity was read out of them, unreported where not."""
    if quantity is None:
        return Covariate(None, unit, "unreported", source, verbatim=text)
    return Covariate(quantity.value, unit, "reported", source, text, quantity.uncertainty)


def words(text: str, source: str) -> Covariate:
    """A covariate that is a text; "NA", "unknown" and the like are unreported."""
    kept = text.strip()
    if kept.lower() in _NOTHING:
        return Covariate(None, "1", "unreported", source, verbatim=text)
    return Covariate(kept, "1", "reported", source, verbatim=text)


def _plain(text: str) -> str:
    """One spelling of the letters that have several (ohm sign and omega, two micros), and single blanks."""
    return " ".join(text.replace("\u2126", "Ω").replace("\u00b5", "u").replace("\u03bc", "u").split())


def _quantity(match: re.Match[str], unit: str, bare_unit: str | None) -> Quantity | None:
    written = known_unit(match["unit"].strip()) if match["unit"] else bare_unit
    first_unit = known_unit(match["unit_first"].strip()) if match["unit_first"] else written
    if written is None or first_unit != written or measures(written) != measures(unit):
        return None
    first = convert(float(match["first"]), written, unit)
    if match["second"] is None:
        return Quantity(first)
    if match["link"] in ("±", "+/-", "+-"):
        spread = convert(float(match["second"]), written, unit) - convert(0.0, written, unit)
        return Quantity(first, spread) if spread >= 0 else None
    return _range(first, convert(float(match["second"]), written, unit))


def _range(low: float, high: float) -> Quantity | None:
    """A uniform distribution between two ends: its mean, and its standard deviation range / sqrt(12)."""
    if high < low:
        return None
    return Quantity((low + high) / 2, (high - low) / 12**0.5) if high > low else Quantity(low)


def _days(parts: tuple[str | None, ...]) -> float:
    lengths = (_YEAR_DAYS, _MONTH_DAYS, 7.0, 1.0)
    return sum(float(part) * length for part, length in zip(parts, lengths, strict=True) if part)
