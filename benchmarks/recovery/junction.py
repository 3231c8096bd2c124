"""A junction potential in the recordings: what a fit makes of it that does not know, and of recordings corrected."""

import dataclasses

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from benchmarks.recovery.cases import ALL_CASES, Case
from benchmarks.recovery.recordings import draw, record
from benchmarks.recovery.recover import fitted
from biophys.calibrate import Free, Target, target_of
from biophys.corrections.recordings import correct
from biophys.observation import ObservationModel
from twin import recording
from twin.protocol import Covariate, Protocol

INJECTED_MV = 10.0
CASES = tuple(ALL_CASES[name] for name in ("gif_voltage", "adex", "hodgkin_huxley"))
POTENTIALS = {
    "passive": ("E_L",),
    "gif_voltage": ("E_L", "V_r", "V_T_star"),
    "adex": ("E_L", "V_T", "V_r"),
    "hodgkin_huxley": (),  # all of its potentials are in the equations, or fixed
}
_PROTOCOL = Protocol(
    {
        "clamp": Covariate("current"),
        "junction_potential": Covariate(INJECTED_MV, "mV", source="injected"),
        "junction_potential_corrected": Covariate(False),
    }
)


def _with_room(case: Case, potentials: tuple[str, ...]) -> Case:
    """The same prior for the truth, and bounds within which shifted potentials and wrong conductances have room."""

    def widened(one: Free) -> Free:
        if one.name in potentials:
            return dataclasses.replace(one, low=one.low - 5, high=one.high + 15)
        if one.scale == "log":
            return dataclasses.replace(one, low=one.low / 3, high=one.high * 3)
        return dataclasses.replace(one, low=0.2 * one.low, high=2 * one.high)

    return dataclasses.replace(case, free=tuple(widened(one) for one in case.free), budget=2 * case.budget)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The same cells, recorded with a junction potential, fitted as recorded and as corrected.

    Attributes:
        case: that was recorded.
        truth: (set, free) in the quantities' units, and so the others.
        raw: the mode of the recording as it is.
        raw_holds: (set, free) whether the 90 % interval holds the truth.
        corrected: the mode of the recording after `twin correct`.
        corrected_holds: (set, free) the same after the correction.
    """

    case: Case
    truth: Float[np.ndarray, "set free"]
    raw: Float[np.ndarray, "set free"]
    raw_holds: Bool[np.ndarray, "set free"]
    corrected: Float[np.ndarray, "set free"]
    corrected_holds: Bool[np.ndarray, "set free"]


def compare(case: Case, sets: int, seed: int = 0) -> Comparison:
    """Record with the junction potential, and fit twice."""
    positions = draw(case, sets, seed)
    truth = _table(case, [case.space.values(row) for row in positions])
    wide = _with_room(case, POTENTIALS[case.name])
    clean = record(case, positions, seed)
    raw = [as_recorded(one) for one in clean]
    found = []
    for trees in (raw, [correct(tree, leave_out=("series_resistance",)) for tree in raw]):
        targets = [
            dataclasses.replace(target_of(tree), spike_times_s=one.spike_times_s)
            for tree, one in zip(trees, clean, strict=True)
        ]
        fits = fitted(wide, targets, seed)
        edges = np.array([[fit.intervals[free.name] for free in case.free] for fit in fits])
        found += [_table(case, [fit.values for fit in fits]), (edges[..., 0] <= truth) & (truth <= edges[..., 1])]
    return Comparison(case, truth, raw=found[0], raw_holds=found[1], corrected=found[2], corrected_holds=found[3])


def as_recorded(target: Target) -> xr.DataTree:
    """The recording that an amplifier makes of it, through the observation model, with its protocol."""
    assert target.voltage_mv is not None
    rate_hz = 1.0 / target.dt_s
    left_out = ("series_resistance", "low_pass_filter", "sampling_rate")
    amplifier = ObservationModel.from_protocol(_PROTOCOL, model_rate_hz=rate_hz, leave_out=left_out)
    shown = amplifier.forward(target.voltage_mv, target.current_na, amplifier.params)
    return recording.from_voltage(
        np.asarray(shown), rate_hz, name=target.name, current_na=target.current_na, protocol=_PROTOCOL
    )


def _table(case: Case, values: list) -> np.ndarray:
    return np.array([[float(one[name]) for name in case.space.names] for one in values])
