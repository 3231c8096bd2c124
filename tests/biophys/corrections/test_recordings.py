"""A recording is corrected once, says so, and can be brought back."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from biophys.corrections import henderson, parse_solution
from biophys.corrections.recordings import computed_junction_potential, correct, invert
from twin import recording
from twin.errors import InputError, UnreportedError
from twin.protocol import BY_SWEEP, Covariate, Protocol
from twin.recording import Sweeps

REPORTED = {
    "series_resistance": Covariate(15.0, "MOhm", source="test pulse", uncertainty=2.0),
    "bridge_balance": Covariate(10.0, "MOhm"),
    "series_resistance_compensation": Covariate(80.0, "%"),
    "junction_potential": Covariate(14.0, "mV", source="measured", uncertainty=0.5),
    "junction_potential_corrected": Covariate(False),
}


def cell(clamp: str = "current", without: tuple[str, ...] = (), **changed: Covariate) -> xr.DataTree:
    """Two sweeps at -60 mV and 0.2 nA."""
    protocol = Protocol({name: one for name, one in {**REPORTED, **changed}.items() if name not in without})
    volts, amperes = np.full((2, 40), -60.0), np.full((2, 40), 0.2)
    return recording.from_voltage(volts, 1e4, name="cell", current_na=amperes, clamp=clamp, protocol=protocol)


def volts(tree: xr.DataTree) -> np.ndarray:
    return tree["voltage/voltage"].values


def test_current_clamp_loses_bridge_error_and_junction_potential() -> None:
    """-60 mV recorded with 0.2 nA through 5 MOhm too little bridge and +14 mV of junction is -60 - 1 - 14 = -75 mV."""
    np.testing.assert_allclose(volts(correct(cell())), -75.0)


def test_voltage_clamp_loses_the_drop_that_is_not_compensated() -> None:
    """At a command of -60 mV, 0.2 nA through 20 % of 15 MOhm leaves the membrane at -60 - 0.6 - 14 = -74.6 mV."""
    np.testing.assert_allclose(volts(correct(cell("voltage"))), -74.6)


def test_without_current_only_the_junction_potential_is_removed() -> None:
    """Where no current was injected there is no drop, and no series resistance is asked for."""
    corrected = correct(cell("zero", without=("series_resistance", "bridge_balance")))
    np.testing.assert_allclose(volts(corrected), -74.0)


def test_the_junction_potential_is_computed_from_reported_solutions() -> None:
    """Solutions and temperature stand in for the junction potential, and the log says which equation."""
    pipette, bath = "K 140, gluconate 140", "Na 145, K 3, Cl 148"
    stated = {"pipette_solution": Covariate(pipette), "bath_solution": Covariate(bath)}
    stated["temperature"] = Covariate(32.0, "degC")
    corrected = correct(cell(without=("junction_potential",), **stated))
    expected = henderson(parse_solution(pipette), parse_solution(bath), 32.0)
    np.testing.assert_allclose(volts(corrected), -61.0 - expected)
    facts = corrected.attrs["provenance"][-1]["parameters"]["/voltage"]
    assert "Henderson" in facts["source"] and facts["uncertainty_mv"] > 0
    assert computed_junction_potential(recording.protocol_of(corrected)).status == "computed"


@pytest.mark.parametrize("missing", ["series_resistance", "bridge_balance", "junction_potential_corrected"])
def test_an_unreported_value_stops_it(missing: str) -> None:
    """The sentence names the value and how to give it."""
    with pytest.raises(UnreportedError, match=rf"needs {missing} .*unreported.*\[{missing}\]"):
        correct(cell(without=(missing,)))


def test_a_missing_junction_potential_names_both_ways_out() -> None:
    """Without the potential and the solutions the sentence asks for either."""
    with pytest.raises(UnreportedError, match="or give junction_potential itself.*pipette_solution"):
        correct(cell(without=("junction_potential",)))


def test_leaving_out_is_said_explicitly() -> None:
    """What is left out is neither asked for nor done, and can be done later."""
    first = correct(cell(without=("series_resistance",)), leave_out=("series_resistance",))
    np.testing.assert_allclose(volts(first), -74.0)
    with pytest.raises(InputError, match="no correction 'bridge'"):
        correct(cell(), leave_out=("bridge",))


def test_correcting_twice_is_refused() -> None:
    """A second time finds nothing left to correct; nor does a recording whose authors corrected it."""
    corrected = correct(cell())
    with pytest.raises(InputError, match="was corrected for series_resistance, junction_potential before"):
        correct(corrected)
    by_authors = cell(junction_potential_corrected=Covariate(True), series_resistance_corrected=Covariate(True))
    with pytest.raises(InputError, match="was corrected"):
        correct(by_authors)


def test_each_sweep_has_its_own_series_resistance() -> None:
    """A covariate that differs by sweep is taken from the sweeps: 5 and 10 MOhm too little bridge are 1 and 2 mV."""
    protocol = Protocol({**REPORTED, "series_resistance": Covariate(BY_SWEEP, "MOhm")})
    columns = {"series_resistance": ([15.0, 20.0], "MOhm")}
    kind = Sweeps(1e4, np.full((2, 40), -60.0), np.full((2, 40), 0.2), columns=columns)
    corrected = correct(recording.from_sweeps({"steps": kind}, name="cell", protocol=protocol))
    np.testing.assert_allclose(volts(corrected)[:, 0], [-75.0, -76.0])


def test_the_log_and_the_protocol_remember() -> None:
    """Every number with its source and uncertainty is in the log, and the protocol says that it was done."""
    corrected = correct(cell())
    protocol = recording.protocol_of(corrected)
    assert (
        protocol["junction_potential_corrected"].value is True and protocol["series_resistance_corrected"].value is True
    )
    steps = {entry["step"]: entry["parameters"]["/voltage"] for entry in corrected.attrs["provenance"]}
    assert steps["correct junction potential"]["numbers"] == {"junction_potential_mv": 14.0}
    assert steps["correct junction potential"]["uncertainty_mv"] == 0.5
    assert steps["correct series resistance"]["source"] == "test pulse"


@settings(max_examples=30, deadline=None, database=None, phases=[Phase.generate])
@given(st.data())
def test_correct_then_undo_is_the_same(data: st.DataObject) -> None:
    """Every recording comes back to within the rounding of its precision, with the protocol's flags as they were."""
    kind = data.draw(st.sampled_from(["current", "voltage", "zero"]))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    draw = np.random.default_rng(data.draw(st.integers(0, 1000)))
    changed: dict[str, Any] = {
        "series_resistance": Covariate(data.draw(st.floats(0, 100)), "MOhm"),
        "bridge_balance": Covariate(data.draw(st.floats(0, 100)), "MOhm"),
        "junction_potential": Covariate(data.draw(st.floats(-20, 20)), "mV"),
    }
    protocol = Protocol({**REPORTED, **changed})
    values = draw.normal(-60, 20, (2, 30)).astype(dtype), draw.normal(0, 1, (2, 30)).astype(dtype)
    tree = recording.from_voltage(values[0], 1e4, name="c", current_na=values[1], clamp=kind, protocol=protocol)
    again = invert(correct(tree))
    scale = 400.0 * np.finfo(dtype).eps
    np.testing.assert_allclose(volts(again), values[0], rtol=0, atol=scale)
    assert volts(again).dtype == dtype
    assert recording.protocol_of(again)["junction_potential_corrected"].value is False
    np.testing.assert_array_equal(volts(correct(again)).shape, volts(tree).shape)


def test_there_is_nothing_to_undo_in_a_raw_recording() -> None:
    """Undoing twice is refused as correcting twice is."""
    with pytest.raises(InputError, match="no correction to undo"):
        invert(cell())
    with pytest.raises(InputError, match="no correction to undo"):
        invert(invert(correct(cell())))


def test_a_recording_of_spikes_has_nothing_to_correct() -> None:
    """The sentence says so."""
    spikes = recording.from_spikes([[np.array([0.5])]], start_s=0.0, stop_s=1.0, name="s")
    with pytest.raises(InputError, match="no voltages or currents"):
        correct(spikes)


def test_negative_resistance_is_refused() -> None:
    """A series resistance below zero is no resistance."""
    with pytest.raises(InputError, match="-15"):
        correct(cell(series_resistance=Covariate(-15.0, "MOhm")))
