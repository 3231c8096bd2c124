"""What the readers share: exact floats, names of groups, errors of other people's parsers, and facts by sweep."""

import struct

import numpy as np
import pytest

from twin.errors import InputError, UnsupportedError
from twin.protocol import Covariate
from twin.readers import by_sweep, libraries


@pytest.mark.parametrize(
    ("stored", "kept"),
    [("i2", "f4"), ("u2", "f4"), ("f4", "f4"), ("f2", "f4"), ("i4", "f8"), ("u4", "f8"), ("f8", "f8"), ("i8", "f8")],
)
def test_what_fits_into_24_bits_is_float32(stored, kept):
    """Up to 24 significant bits single precision holds every value; beyond, double precision is kept."""
    assert libraries.exact_float(np.dtype(stored)) == np.dtype(kept)


def test_scaling_is_done_in_double_precision():
    """A large offset is added before the number is rounded to single precision, so that nothing is lost to it."""
    raw = np.array([32767, -32768], dtype=np.int16)
    made = libraries.scaled(raw, 1e-3, 1e6)
    np.testing.assert_array_equal(made, (raw * 1e-3 + 1e6).astype(np.float32))


@pytest.mark.parametrize(
    "fault",
    [
        struct.error("short"),
        KeyError("x"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
        MemoryError(),
        OSError("gone"),
    ],
)
def test_any_failure_of_a_parser_names_the_file(tmp_path, fault):
    """Whatever is raised becomes one sentence with the file and the reason."""
    with (
        pytest.raises(InputError, match="a.bin: .*copy the file again") as caught,
        libraries.parsing(tmp_path / "a.bin", "a file"),
    ):
        raise fault
    assert "\n" not in str(caught.value) and caught.value.__cause__ is fault


def test_an_error_of_this_project_keeps_its_kind_and_gets_the_file(tmp_path):
    """A refusal stays a refusal."""
    with pytest.raises(UnsupportedError, match="a.bin: no such thing"), libraries.parsing(tmp_path / "a.bin", "a file"):
        raise UnsupportedError("no such thing")


def test_names_of_groups_are_plain_and_unique():
    """Slashes would make folders, and two channels may have one label."""
    assert libraries.group_name("V m/2", ()) == "V_m_2"
    assert libraries.group_name("", ()) == "unnamed"
    assert libraries.group_name("a", {"a", "a_2"}) == "a_3"


def test_facts_that_agree_are_one_and_others_are_columns():
    """Equal values are one covariate; others are numbers with NaN where unknown, beside the words that gave none."""
    same = Covariate(1.0, "MOhm", source="x")
    facts = [
        {"bridge_balance": same, "age": Covariate(3.0, "day")},
        {"bridge_balance": same, "age": Covariate(None, "day", "unreported", verbatim="adult")},
        {"bridge_balance": same},
    ]
    shared = by_sweep.shared(facts)
    assert shared["bridge_balance"] == same and shared["age"].value == "by sweep"
    columns = by_sweep.columns(facts, shared)
    np.testing.assert_array_equal(columns["age"][0], [3.0, np.nan, np.nan])
    assert columns["age"][1] == "day" and columns["age_verbatim"][0].tolist() == ["", "adult", ""]
    assert "bridge_balance" not in columns


def test_what_no_sweep_reports_stays_unreported():
    """Words that differ from sweep to sweep and say nothing are kept together, and are no value."""
    facts = [{"sex": Covariate(None, status="unreported", verbatim=word)} for word in ("U", "NA")]
    sex = by_sweep.shared(facts)["sex"]
    assert (sex.status, sex.verbatim) == ("unreported", "U; NA")
