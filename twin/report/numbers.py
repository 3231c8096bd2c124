"""Numbers as people read them: three significant digits, a true minus sign, no exponent where it can be avoided."""

import functools
import math

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_THIN_SPACE = "\u202f"
ABSENT = "–"


def format_number(value: int | float | None) -> str:
    """Three significant digits; integers and the integer part of large numbers in full.

    Returns:
        -0.01234 -> "−0.0123"; 12345.6 -> "12 346" (thin space); 0.0000123 -> "1.23×10⁻⁵"; None -> "–".
    """
    if value is None:
        return ABSENT
    if isinstance(value, int):
        return _signed(value, f"{abs(value):,}")
    if value == 0:
        return "0"
    size = float(f"{abs(value):.2e}")  # rounded first, so that 9.999 counts as 10.0
    if not 1e-3 <= size < 1e6:
        mantissa, exponent = f"{size:.2e}".split("e")
        return _signed(value, f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPT)}")
    return _fixed(value, max(0, 2 - _exponent(size)))


def format_measure(value: int | float | None, low: int | float | None, high: int | float | None) -> tuple[str, str]:
    """A number and its interval, as precise as the interval allows: two digits of its half-width, three at most.

    Returns:
        (0.0312, -0.0124, 0.0741) -> ("0.031", "[−0.012, 0.074]"); an end that is not known gives "[≤ 0.660]" or
        "[≥ 0.400]", and no end "".
    """
    ends = [end for end in (low, high) if end is not None]
    show = format_number
    if len(ends) == 2 and ends[1] > ends[0]:
        scale = max(abs(number) for number in (value, *ends) if number is not None)
        if 1e-3 <= scale < 1e6:
            decimals = max(0, min(2 - _exponent(scale), 1 - _exponent((ends[1] - ends[0]) / 2)))
            show = functools.partial(_fixed, decimals=decimals)
    if len(ends) == 2:
        interval = f"[{show(low)}, {show(high)}]"
    else:
        interval = f"[{'≤' if low is None else '≥'} {show(ends[0])}]" if ends else ""
    return (ABSENT if value is None else show(value)), interval


def format_setting(value: int | float | None) -> str:
    """A number that somebody chose, such as a margin, without the zeros that would make it look measured: 0.1, 10⁻⁵."""
    text = format_number(value)
    mantissa, times, power = text.partition("×")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return power if times and mantissa == "1" else mantissa + times + power


def _exponent(size: int | float) -> int:
    return math.floor(math.log10(float(f"{size:.2e}")))


def _fixed(value: int | float, decimals: int) -> str:
    return _signed(value, f"{abs(value):,.{decimals}f}")


def _signed(value: int | float, digits: str) -> str:
    """The digits with a minus where one belongs: none before a number that was rounded to zero."""
    sign = "−" if value < 0 and any(digit in "123456789" for digit in digits) else ""
    return sign + digits.replace(",", _THIN_SPACE)
