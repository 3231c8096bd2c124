"""The protocol: what is not reported stays unreported, and a correction that needs it stops."""

import pytest

from twin.errors import InputError, UnreportedError
from twin.protocol import KNOWN, Covariate, Protocol, read_toml


def test_every_known_covariate_is_unreported_until_given():
    """An empty protocol says of every known covariate that nobody reported it."""
    protocol = Protocol()
    assert set(protocol) == set(KNOWN)
    assert {one.status for one in protocol.values()} == {"unreported"}


def test_require_names_the_covariate_and_the_way_out():
    """A needed value that is unreported stops with its name, its unit and how to give it."""
    with pytest.raises(UnreportedError, match=r"temperature \(degC\), which is unreported.*\[temperature\]"):
        Protocol().require("temperature", "a Q10 correction")


def test_require_gives_what_was_reported():
    """A reported value is returned with its unit and source."""
    given = Covariate(28.0, "degC", "reported", "thermometer")
    assert Protocol({"temperature": given}).require("temperature", "a Q10 correction") == given


def test_a_value_in_another_unit_is_refused():
    """Kelvin for a covariate that is kept in degrees Celsius is refused, not stored."""
    with pytest.raises(InputError, match="'K'.*'degC'"):
        Protocol({"temperature": Covariate(301.0, "K")})


@pytest.mark.parametrize(("value", "status"), [(None, "reported"), (1.0, "unreported"), (1.0, "guessed")])
def test_value_and_status_have_to_agree(value, status):
    """No value with a status that claims one, no status out of the vocabulary."""
    with pytest.raises(InputError):
        Covariate(value, "1", status)


def test_attributes_round_trip():
    """What is stored with a recording is what is read back."""
    protocol = Protocol({"temperature": Covariate(28.0, "degC", "reported", "paper", uncertainty=2.0)})
    assert dict(Protocol.from_attributes(protocol.to_attributes())) == dict(protocol)


def test_toml_gives_covariates(tmp_path):
    """A protocol file becomes covariates with the source that it states."""
    path = tmp_path / "p.toml"
    path.write_text('[temperature]\nvalue = 28.0\nuncertainty = 2.0\nsource = "thermometer"\n')
    assert read_toml(path) == {"temperature": Covariate(28.0, "degC", "reported", "thermometer", uncertainty=2.0)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[temperature\n", "is not TOML"),
        ("temperature = 28\n", r"\[temperature\] has to be a table"),
        ("[temperature]\nvalue = 28\nunits = 'degC'\n", "with fields out of"),
        ("[temperature]\nvalue = 301\nunit = 'K'\n", "'K'.*'degC'"),
    ],
)
def test_a_faulty_protocol_file_is_named(tmp_path, text, words):
    """Each fault of a protocol file is one sentence that starts with the file."""
    path = tmp_path / "p.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        read_toml(path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_protocol_file_is_named(tmp_path):
    """A protocol file that is not there is an input error."""
    with pytest.raises(InputError, match="cannot be read"):
        read_toml(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("[series_resistance]\nvalue = -3.0", "-3 MOhm; wanted 0 to inf MOhm"),
        ('[temperature]\nvalue = "warm"', "'warm'; wanted a number in degC"),
        ("[temperature]\nvalue = 305.0", "305 degC; wanted -20 to 100 degC"),
        ("[temperature]\nvalue = nan", "nan; wanted a number"),
        ("[junction_potential]\nvalue = true", "True; wanted a number in mV"),
        ('[temperature]\nvalue = 305.0\nunit = "K"', "in 'K', but it is kept in 'degC'"),
    ],
)
def test_impossible_values_are_refused(table, words, tmp_path):
    """A negative resistance, a word for a number and kelvin for Celsius never become a covariate."""
    path = tmp_path / "p.toml"
    path.write_text(table)
    with pytest.raises(InputError, match=words) as caught:
        read_toml(path)
    assert "p.toml" in str(caught.value)
