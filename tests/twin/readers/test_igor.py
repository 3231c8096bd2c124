"""The Igor reader: units of the header, waves that belong together, notes, and what is refused."""

import numpy as np
import pytest

from twin import readers, recording
from twin.errors import InputError, UnsupportedError
from twin.readers import igor

VOLTS = np.linspace(-0.08, 0.02, 500)
NOTE = b"TIME:6/5/2000 15.59.33;SI:250;HP0:0;HP0:-80;COMP_ON:0;COMP_CM:0;COMP_RS:0;"


def pair(folder, make_ibw, number=1, **options):
    """A voltage wave in V and a current wave in A of one sweep."""
    return [
        make_ibw(folder / f"cell_Ch3_step_{number}.ibw", VOLTS * number, "V", **options),
        make_ibw(folder / f"cell_Ch0_step_{number}.ibw", VOLTS * 1e-9, "A", **options),
    ]


@pytest.mark.parametrize(("unit", "factor"), [("V", 1e3), ("mV", 1.0)])
@pytest.mark.parametrize("big_endian", [False, True])
def test_the_unit_of_the_header_is_converted(tmp_path, make_ibw, unit, factor, big_endian):
    """Volts and millivolts both become millivolts, in either byte order."""
    tree = igor.read([make_ibw(tmp_path / "w.ibw", VOLTS, unit, big_endian=big_endian)])
    np.testing.assert_allclose(tree["voltage/voltage"].values[0], VOLTS * factor, rtol=1e-6)
    assert tree["voltage"].attrs["sampling_hz"] == pytest.approx(4000.0)


def test_voltage_and_current_of_a_sweep_belong_together(tmp_path, make_ibw):
    """Six files of three sweeps become (3, 500) of both, in the order of their numbers, whatever the order given."""
    paths = [path for number in (10, 2, 1) for path in pair(tmp_path, make_ibw, number)]
    tree = readers.read(paths)
    np.testing.assert_allclose(tree["voltage/voltage"].values[:, -1], [20.0, 40.0, 200.0], rtol=1e-6)
    np.testing.assert_allclose(tree["voltage/current"].values[0], VOLTS, rtol=1e-6)
    assert tree["voltage/sweep"].values.tolist() == ["cell_step_1", "cell_step_2", "cell_step_10"]


def test_two_waves_of_any_names_are_a_pair(tmp_path, make_ibw):
    """One voltage and one current without channels in their names are taken together."""
    paths = [make_ibw(tmp_path / "vm.ibw", VOLTS, "V"), make_ibw(tmp_path / "inj.ibw", VOLTS, "pA")]
    assert set(igor.read(paths)["voltage"].data_vars) >= {"voltage", "current"}


def test_the_note_is_kept_and_read_where_it_is_certain(tmp_path, make_ibw):
    """COMP_ON:0 means no compensation; a key that comes twice means nothing; the words are all there."""
    protocol = recording.protocol_of(igor.read(pair(tmp_path, make_ibw, note=NOTE)))
    rs = protocol["series_resistance_compensation"]
    assert (rs.value, rs.unit, rs.verbatim) == (0.0, "%", "COMP_ON:0;COMP_RS:0")
    assert protocol["notes"].value == NOTE.decode()
    assert protocol["holding_potential"].status == protocol["temperature"].status == "unreported"


def test_compensation_that_is_on_has_no_known_unit(tmp_path, make_ibw):
    """COMP_RS:70 of a compensation that is on stays words: nobody says per cent of what."""
    protocol = recording.protocol_of(igor.read(pair(tmp_path, make_ibw, note=b"COMP_ON:1;COMP_RS:70;")))
    rs = protocol["series_resistance_compensation"]
    assert (rs.status, rs.verbatim) == ("unreported", "COMP_ON:1;COMP_RS:70")


def test_the_unit_of_the_output_says_the_clamp_and_nothing_else_does(tmp_path, make_ibw):
    """An output in amperes is a current clamp; without a note the clamp is unreported and only the layout is chosen."""
    stated = igor.read(pair(tmp_path, make_ibw, note=b"\rDACUNITS0#A\rADCUNIT#V\r"))
    assert recording.protocol_of(stated)["clamp"].value == "current"
    silent = igor.read(pair(tmp_path, make_ibw))
    clamp = recording.protocol_of(silent)["clamp"]
    assert clamp.status == "unreported" and "laid out as in current clamp" in clamp.source
    told = igor.read(pair(tmp_path, make_ibw), clamp="voltage")
    assert told["voltage"].attrs["clamp"] == "voltage" == recording.protocol_of(told)["clamp"].value


def test_a_temperature_in_the_note_needs_a_unit(tmp_path, make_ibw):
    """ "34 C" is read, "34" keeps its words."""
    for text, value in (("34 C", 34.0), ("34", None)):
        path = make_ibw(tmp_path / "w.ibw", VOLTS, note=f"TEMPERATURE:{text};".encode())
        temperature = recording.protocol_of(igor.read([path]))["temperature"]
        assert (temperature.value, temperature.verbatim) == (value, text)


def test_sweeps_that_differ_in_length_are_kinds_of_their_own(tmp_path, make_ibw):
    """Waves of 500 and 300 samples lie in two groups."""
    paths = [make_ibw(tmp_path / "a1.ibw", VOLTS), make_ibw(tmp_path / "a2.ibw", VOLTS[:300])]
    sets = recording.sweep_sets(igor.read(paths))
    assert sorted(one.sizes["time"] for one in sets.values()) == [300, 500]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"unit": ""}, UnsupportedError, "the unit of the wave is ''"),
        ({"unit": "C"}, UnsupportedError, "wanted a voltage or a current"),
        ({"time_unit": ""}, InputError, "time axis is ''; wanted 's' or 'ms'"),
        ({"step": 0.0}, InputError, "0 s apart"),
        ({"step": float("nan")}, InputError, "nan s apart"),
    ],
)
def test_missing_units_are_not_guessed(tmp_path, make_ibw, options, error, words):
    """No unit of the data, or of time, is an error that says how to set it."""
    with pytest.raises(error, match=words):
        igor.read([make_ibw(tmp_path / "w.ibw", VOLTS, **options)])


def test_the_interval_in_the_note_vouches_for_an_axis_without_unit(tmp_path, make_ibw):
    """SI:250 in microseconds agrees with 2.5e-4, so the axis is in seconds."""
    path = make_ibw(tmp_path / "w.ibw", VOLTS, time_unit="", note=NOTE)
    assert igor.read([path])["voltage"].attrs["sampling_hz"] == pytest.approx(4000.0)


def test_waves_that_do_not_fit_are_named(tmp_path, make_ibw):
    """Two voltages of one sweep, and a current of another length, are refused by name."""
    first = make_ibw(tmp_path / "c_ch0_1.ibw", VOLTS)
    with pytest.raises(InputError, match=r"c_ch1_1.ibw: belongs to the same sweep as c_ch0_1.ibw .* both are voltages"):
        igor.read([first, make_ibw(tmp_path / "c_ch1_1.ibw", VOLTS)])
    with pytest.raises(InputError, match="has 300 samples|has 500 samples"):
        igor.read([first, make_ibw(tmp_path / "c_ch1_1.ibw", VOLTS[:300], "A")])


def test_a_wave_that_was_cut_off_is_named(tmp_path, make_ibw):
    """Half a file is no wave."""
    path = make_ibw(tmp_path / "w.ibw", VOLTS)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(InputError, match="w.ibw"):
        readers.read([path])
