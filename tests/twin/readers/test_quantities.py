"""Quantities in free text: what can be read, what must not be, and that the words are never lost."""

import math

import numpy as np
import pytest

from twin.errors import InputError
from twin.readers import quantities
from twin.readers.quantities import Quantity, convert, find, parse

FIELDS = [
    ("5-10 MOhm", "MOhm", 7.5, 5 / 12**0.5),
    ("2.5–4 MΩ", "MOhm", 3.25, 1.5 / 12**0.5),
    ("34 C", "degC", 34.0, None),
    ("30 ± 2 °C", "degC", 30.0, 2.0),
    ("30+/- 2 celsius", "degC", 30.0, 2.0),
    ("22 to 24 degrees C", "degC", 23.0, 2 / 12**0.5),
    ("~32 °C", "degC", 32.0, None),
    ("305.15 K", "degC", 32.0, None),
    ("6 kHz", "Hz", 6000.0, None),
    ("1.2 GΩ", "MOhm", 1200.0, None),
    ("4 megaohms", "MOhm", 4.0, None),
    ("-70 to -65 mV", "mV", -67.5, 5 / 12**0.5),
    ("4 MOhm - 6 MOhm", "MOhm", 5.0, 2 / 12**0.5),
    ("8 weeks", "day", 56.0, None),
    ("250 µs", "s", 2.5e-4, None),
]
NOT_QUANTITIES = [
    ("room temperature", "degC"),
    ("~32", "degC"),
    ("RT (22-24)", "degC"),
    ("> 1 GOhm", "MOhm"),
    ("<5 MOhm", "MOhm"),
    ("5 mohm", "MOhm"),
    ("1,5 MOhm", "MOhm"),
    ("10-5 MOhm", "MOhm"),
    ("98 F", "degC"),
    ("5 MOhm 10 MOhm", "MOhm"),
    ("5 mV", "MOhm"),
    ("", "MOhm"),
    ("NaN degC", "degC"),
]


@pytest.mark.parametrize(("text", "unit", "value", "spread"), FIELDS)
def test_a_field_is_read_in_the_wanted_unit(text, unit, value, spread):
    """Single numbers, spreads, and ranges (midpoint, range over the root of 12) come out in the covariate's unit."""
    found = parse(text, unit)
    assert found is not None and found.value == pytest.approx(value)
    assert found.uncertainty == (None if spread is None else pytest.approx(spread))


@pytest.mark.parametrize(("text", "unit"), NOT_QUANTITIES)
def test_what_is_in_doubt_is_unreported_with_its_words(text, unit):
    """Words, bounds, decimal commas, missing or wrong units and two numbers give no number, and keep the text."""
    covariate = quantities.covariate(text, unit, "a field", parse(text, unit))
    assert (covariate.value, covariate.status, covariate.verbatim) == (None, "unreported", text)


def test_a_bare_number_has_the_unit_of_its_field_only():
    """ "~32" is a temperature where the field is in degrees C, and nothing where it is not."""
    assert parse("~32", "degC", bare_unit="degC") == Quantity(32.0)
    assert parse("5e6", "MOhm", bare_unit="Ohm") == Quantity(5.0)
    assert parse("~32", "degC") is None


@pytest.mark.parametrize("unit", ["mV", "nA", "MOhm", "pF", "kHz", "degC", "ms", "%"])
def test_every_number_that_is_written_is_read_back(unit):
    """Formatted numbers, spreads and ranges of random size, in every unit, survive the text."""
    rng = np.random.default_rng(7)
    for value, width in zip(rng.normal(0.0, 300.0, 60), rng.uniform(0.1, 50.0, 60), strict=True):
        low, high = round(float(value), 3), round(float(value + width), 3)
        assert parse(f"{low} {unit}", unit).value == pytest.approx(low)
        assert parse(f"{low} ± {high - low:.3f}{unit}", unit).uncertainty == pytest.approx(high - low)
        spread = parse(f"{low} to {high} {unit}", unit)
        assert spread.value == pytest.approx((low + high) / 2) and spread.uncertainty == pytest.approx(
            (high - low) / 12**0.5
        )


def test_any_text_is_read_or_left_alone_and_never_lost():
    """Random texts of the characters that occur never raise, give finite numbers only, and keep their words."""
    rng = np.random.default_rng(11)
    letters = list("0123456789.,-–±+~<>/ eEmMkGVAΩCHzohPDdays%°()µ")
    for _ in range(3000):
        text = "".join(rng.choice(letters, rng.integers(0, 25)))
        for unit, found in (
            ("MOhm", parse(text, "MOhm")),
            ("degC", find(text, "degC", "")),
            ("day", quantities.age(text)),
        ):
            covariate = quantities.covariate(text, unit, "random", found)
            assert covariate.verbatim == text
            assert covariate.value is None or math.isfinite(covariate.value)


def test_units_are_converted_within_a_kind_only():
    """A gigaohm is a thousand megaohms, a kelvin is offset, and volts never become amperes."""
    assert convert(1.5, "GΩ", "MOhm") == pytest.approx(1500.0)
    assert convert(0.0, "degC", "K") == pytest.approx(273.15)
    assert convert(1.0, "pA", "nA") == pytest.approx(1e-3)
    with pytest.raises(InputError, match="cannot be turned into"):
        convert(1.0, "mV", "nA")


def test_a_quantity_is_found_in_the_clause_that_names_it():
    """Of several numbers the one of the wanted kind beside the word is taken, and none where two compete."""
    text = "current steps, perfusion of 20-25 ml/min, temperature 30+/- 2 celsius"
    assert find(text, "degC", "temperature") == Quantity(30.0, 2.0)
    assert find("Pipettes of borosilicate glass (2.5-4 MΩ)", "MOhm", "pipette").value == pytest.approx(3.25)
    assert find("incubated at 34 C; temperature not noted", "degC", "temperature") is None
    assert find("temperature 22 C for cutting and 32 C for recording", "degC", "temperature") is None


@pytest.mark.parametrize(
    ("text", "days", "spread"),
    [
        ("P316D", 316.0, None), ("P20D-P90D", 55.0, 70 / 12**0.5), ("P20D/P90D", 55.0, 70 / 12**0.5),
        ("P20–P90", 55.0, 70 / 12**0.5), ("P8W", 56.0, None), ("P1Y", 365.25, None), ("6-8 weeks", 49.0, 14 / 12**0.5),
    ],
)  # fmt: skip
def test_ages_are_days(text, days, spread):
    """ISO 8601 durations, postnatal days and ranges of both become days."""
    found = quantities.age(text)
    assert found.value == pytest.approx(days)
    assert found.uncertainty == (None if spread is None else pytest.approx(spread))


@pytest.mark.parametrize("text", ["NA", "adult", "P", "PT", "P90D/", ""])
def test_ages_that_are_none_stay_unreported(text):
    """An adult has no number of days."""
    assert quantities.age(text) is None


def test_words_that_say_nothing_are_unreported():
    """ "NA" and "Unspecified" are kept as words and reported as nothing."""
    assert quantities.words("Unspecified", "s").status == quantities.words(" NA ", "s").status == "unreported"
    assert quantities.words("Unspecified", "s").verbatim == "Unspecified"
    assert quantities.words("Mus musculus", "s").value == "Mus musculus"
