"""What is written is what is read, for recordings of every kind that hypothesis can think of."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import xarray as xr
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from xarray.indexes import RangeIndex

from twin import provenance, recording
from twin.protocol import KNOWN, Covariate, Protocol
from twin.recording import Stream, Sweeps, UnitTable
from twin.recording.time_axis import LONGEST_IN_MEMORY, time_axis
from twin.recording.validation import blocks

# Without shrinking: a failure is shown as it is found, because each example writes a store.
few = settings(max_examples=25, deadline=None, database=None, phases=[Phase.generate])
finite = st.floats(-1e6, 1e6, width=32)
rates = st.floats(0.1, 1e5)
words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)


def matrix(*shape: Any, dtype: Any = np.float32) -> st.SearchStrategy[np.ndarray]:
    """Arrays of finite numbers."""
    return arrays.arrays(dtype, shape, elements=finite if np.dtype(dtype).kind == "f" else st.integers(0, 100))


Draw = Callable[[st.SearchStrategy], Any]  # of hypothesis: objects are made outside its strategies, as it wants


def a_protocol(draw: Draw) -> Protocol:
    """A protocol with some covariates reported."""
    numeric = [name for name, (unit, _) in KNOWN.items() if unit != "1"]
    chosen = draw(st.lists(st.sampled_from(numeric), unique=True, max_size=4))
    return Protocol(
        {
            name: Covariate(
                draw(st.floats(0, 90)),
                KNOWN[name][0],
                source=draw(words),
                verbatim=draw(words),
                uncertainty=draw(st.none() | finite),
            )
            for name in chosen
        }
    )


def a_stream(draw: Draw, trials: int) -> Stream:
    """A stream in time, by trial, or both."""
    leading = draw(st.sampled_from([("time",), ("trial", "time"), ("trial",), ()]))
    sizes = {"trial": trials, "time": draw(st.integers(1, 9))}
    values = draw(matrix(*(sizes[dim] for dim in leading), 2))
    rate = draw(rates) if "time" in leading else None
    return Stream(values, rate, draw(words), draw(finite) if rate else 0.0, leading, {"target": draw(words)})


def a_recording(draw: Draw) -> xr.DataTree:
    """Counts, fluorescence or spikes with units, trials and streams, or sweeps of one or two kinds."""
    around: dict[str, Any] = {"name": draw(words), "protocol": a_protocol(draw)}
    if draw(st.booleans()):
        kinds = {}
        for kind in draw(st.lists(st.sampled_from(["steps", "ramps"]), unique=True, min_size=1)):
            shape = (draw(st.integers(1, 3)), draw(st.integers(1, 50)))
            depth = (draw(st.lists(finite, min_size=shape[0], max_size=shape[0])), "MOhm")
            clamp = draw(st.sampled_from(["current", "voltage"]))
            both = [draw(matrix(*shape)), draw(matrix(*shape, dtype=np.float64))]
            kinds[kind] = Sweeps(draw(rates), *both, clamp, draw(finite), columns={"series_resistance": depth})
        return recording.from_sweeps(kinds, **around)
    trials, units, bins = (draw(st.integers(1, 4)) for _ in range(3))
    around["trials"] = {"direction": ([str(one) for one in range(trials)], "1"), "dose": (np.arange(trials), "uM")}
    around["unit_ids"] = UnitTable([f"u{one}" for one in range(units)], {"x": (draw(matrix(units)), "um")})
    around["stimuli"] = {"light": a_stream(draw, trials)}
    around["behaviour"] = {"speed": a_stream(draw, trials)}
    kind = draw(st.sampled_from(["counts", "fluorescence", "irregular", "spikes"]))
    if kind == "counts":
        return recording.from_counts(draw(matrix(trials, bins, units, dtype=np.int16)), draw(rates), **around)
    if kind == "fluorescence":
        return recording.from_fluorescence(
            draw(matrix(trials, bins, units)), unit="dF/F", sampling_hz=draw(rates), **around
        )
    if kind == "irregular":
        times = np.cumsum(draw(arrays.arrays(np.float64, bins, elements=st.floats(0.01, 1))))
        return recording.from_fluorescence(draw(matrix(trials, bins, units)), unit="%", times_s=times, **around)
    trains = [
        [np.array(sorted(draw(st.sets(st.floats(0, 9.9), max_size=6)))) for _ in range(units)] for _ in range(trials)
    ]
    return recording.from_spikes(trains, start_s=0.0, stop_s=10.0, **around)


def assert_same(one: xr.DataTree, other: xr.DataTree) -> None:
    """Equal in every value, dtype, unit, name and attribute."""
    xr.testing.assert_identical(one, other)
    for node in one.subtree:
        for name, variable in node.to_dataset(inherit=False).variables.items():
            assert variable.dtype == other[node.path].to_dataset(inherit=False).variables[name].dtype


@few
@given(st.data())
def test_write_then_open_is_identical(data: st.DataObject) -> None:
    """Values, dtypes, units, names, streams, protocol and log survive the store."""
    tree = provenance.log(a_recording(data.draw), "made", inputs={"a": "00"}, parameters={"numbers": [1.0, 2.0]})
    with tempfile.TemporaryDirectory() as folder:
        again = recording.loaded(recording.open(recording.write(tree, Path(folder) / "r.zarr")))
    assert_same(tree, again)
    assert dict(recording.protocol_of(tree)) == dict(recording.protocol_of(again))


@few
@given(st.data())
def test_a_second_write_of_what_was_read_is_the_same(data: st.DataObject) -> None:
    """Reading and writing again changes nothing, read whole or as chunks."""
    tree = a_recording(data.draw)
    with tempfile.TemporaryDirectory() as folder:
        first = recording.open(recording.write(tree, Path(folder) / "1.zarr"), chunks={})
        again = recording.loaded(recording.open(recording.write(first, Path(folder) / "2.zarr")))
        assert_same(tree, again)


@few
@given(st.integers(1, 10_000), rates, finite)
def test_a_long_axis_has_the_times_of_a_short_one(n: int, rate: float, start_s: float) -> None:
    """An axis that is not kept in memory gives the same times, and as many."""
    long = time_axis(LONGEST_IN_MEMORY + n, rate, start_s)["time"]
    assert long.size == LONGEST_IN_MEMORY + n
    np.testing.assert_allclose(
        long[:n].values, time_axis(n, rate, start_s)["time"].values, rtol=1e-12, atol=1e-9 / rate
    )


def test_dask_arrays_are_written_as_their_values(tmp_path: Path) -> None:
    """A voltage that is computed chunk by chunk is in the store as if it had been in memory."""
    values = np.random.default_rng(0).normal(size=(3, 1000)).astype(np.float32)
    lazy = dask.array.from_array(values, chunks=(1, 300))
    tree = recording.from_voltage(lazy, 1e4, name="lazy")
    again = recording.open(recording.write(tree, tmp_path / "r.zarr"))
    np.testing.assert_array_equal(again["voltage/voltage"].values, values)


def test_between_cuts_short_and_long_axes_alike() -> None:
    """0.1 to 0.2 s of 1 kHz are 100 samples, wherever the axis is kept, and the clock goes on."""
    for n in (1000, LONGEST_IN_MEMORY + 1):
        voltage = dask.array.arange(n, dtype=np.float32)[None]
        whole = recording.from_voltage(voltage, 1e3, name="v")["voltage"].to_dataset()
        assert isinstance(whole.xindexes["time"], RangeIndex) == (n > LONGEST_IN_MEMORY)
        part = recording.between(whole, 0.1, 0.2)
        np.testing.assert_array_equal(part["voltage"].values[0], np.arange(100, 200))
        assert part.attrs["start_s"] == 0.1
        np.testing.assert_allclose(part["time"].values, 0.1 + np.arange(100) / 1e3)


def test_blocks_are_every_value_once_by_chunk() -> None:
    """A dask array is read chunk by chunk, each once, and another array in pieces of the block's size."""
    values = np.arange(7 * 11).reshape(7, 11)
    seen: list[int] = []

    def look(block: np.ndarray) -> np.ndarray:
        seen.append(block.size)
        return block

    lazy = dask.array.from_array(values, chunks=(2, 5)).map_blocks(look, dtype=values.dtype, meta=values[:0, :0])
    pieces = list(blocks(xr.DataArray(lazy, dims=("a", "b"))))
    assert sorted(np.concatenate([piece.ravel() for piece in pieces])) == list(range(77))
    assert len(seen) == len(pieces) == 12
