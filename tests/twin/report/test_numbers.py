"""Numbers as a reader sees them."""

import pytest

from twin.report.numbers import format_measure, format_number, format_setting


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (0.0, "0"),
        (142, "142"),
        (1234567, "1\u202f234\u202f567"),
        (0.81234, "0.812"),
        (9.999, "10.0"),
        (0.09999, "0.100"),
        (-61.234, "−61.2"),
        (12345.6, "12\u202f346"),
        (1.234e-5, "1.23×10⁻⁵"),
        (-9.999e-4, "−0.00100"),
        (6.02e23, "6.02×10²³"),
    ],
)
def test_three_significant_digits(value, text):
    """A number has three significant digits after rounding, a true minus sign and no computer's exponent."""
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("measure", "texts"),
    [
        ((0.0312, -0.0124, 0.0741), ("0.031", "[−0.012, 0.074]")),
        ((0.8123, 0.7712, 0.8534), ("0.812", "[0.771, 0.853]")),
        ((123.4, 123.39, 123.41), ("123", "[123, 123]")),
        ((-0.0004, -0.3, 0.2), ("0.00", "[−0.30, 0.20]")),
        ((0.61, None, 0.66), ("0.610", "[≤ 0.660]")),
        ((0.61, 0.4, None), ("0.610", "[≥ 0.400]")),
        ((9, None, None), ("9", "")),
        ((0.0, 0.0, 0.0), ("0", "[0, 0]")),
        ((2e-7, 1e-7, 3e-7), ("2.00×10⁻⁷", "[1.00×10⁻⁷, 3.00×10⁻⁷]")),
        ((None, 0.1, 0.9), ("–", "[0.10, 0.90]")),
    ],
)
def test_precision_follows_the_interval(measure, texts):
    """A value and its interval have the same decimals, two digits of the half-width, three digits at most."""
    assert format_measure(*measure) == texts


@pytest.mark.parametrize(
    ("value", "text"), [(0.1, "0.1"), (8, "8"), (0.55, "0.55"), (1e-5, "10⁻⁵"), (100.0, "100"), (2.5e-9, "2.5×10⁻⁹")]
)
def test_settings_have_no_idle_zeros(value, text):
    """A margin that somebody chose is not shown with the zeros of a measurement."""
    assert format_setting(value) == text
