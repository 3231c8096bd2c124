"""Voltages as recorded and as they are: which parameters are potentials, and how the junction potential shifts them.

V_m = V_recorded - junction potential. A threshold of -50 mV as recorded, with 14 mV of junction potential left in, is
-64 mV. A slope such as Delta_T is a difference of voltages and stays what it is.
"""

import dataclasses
import functools
import itertools
from collections.abc import Mapping
from typing import Any

import brian2
import jax
import jax.numpy as jnp
import numpy as np
from brian2.equations.equations import SUBEXPRESSION
from brian2.utils.stringtools import get_identifiers
from jax import Array

from biophys.calibrate.plan import Plan
from biophys.calibrate.simulation import Seen, Simulator, Tapes
from biophys.models.model import NeuronModel
from twin.protocol import Protocol

JUNCTION = "junction_potential_mv"
_SHIFT_MV = 5.0
_STEPS = 3000
_MOST_VOLTAGES = 10


@dataclasses.dataclass(frozen=True)
class Frames:
    """The values of the potentials in both frames.

    Attributes:
        raw: as in the recording before any correction; empty where that is not known.
        corrected: with the junction potential removed; empty where that is not known.
        junction_potential_mv: that was removed; None where it is not known.
        reason: why, in words.
    """

    raw: Mapping[str, float]
    corrected: Mapping[str, float]
    junction_potential_mv: float | None
    reason: str


class _Course:
    """Voltage, and logarithm of the hazard, at a few steps: enough to see whether one course is another, shifted."""

    def start(self, facts: Mapping[str, Array], n: int, dtype: Any) -> Array:
        """Room for both."""
        return jnp.zeros((2, facts["room"].shape[-1], n), dtype)

    def add(self, carry: Array, seen: Seen, row: Mapping[str, Array]) -> Array:
        """The latest step of each place stays."""
        hazard = (
            jnp.zeros_like(seen.voltage_mv)
            if seen.hazard_hz is None
            else jnp.log(jnp.clip(seen.hazard_hz, 1e-30, 1e30))
        )
        return jax.lax.dynamic_update_index_in_dim(carry, jnp.stack([seen.voltage_mv, hazard]), row["place"], 1)


@functools.lru_cache(maxsize=32)
def potentials(plan: Plan) -> tuple[str, ...]:
    """The parameters that are potentials rather than differences: those whose common shift shifts the voltage.

    Every subset of the parameters in volts is shifted by 5 mV and simulated under the same current. What is in all
    subsets that shift the voltage by 5 mV, and leave the hazard of an escape-noise model as it is, is a potential.

    Returns:
        Their names; none for a model whose equations hold fixed voltages, such as the rates of Hodgkin and Huxley.
    """
    model = plan.model
    voltages = [one.name for one in model.parameters if brian2.have_same_dimensions(one.unit, brian2.volt)]
    if not 0 < len(voltages) <= _MOST_VOLTAGES:
        return ()
    sizes = range(len(voltages) + 1)
    subsets = [set(chosen) for size in sizes for chosen in itertools.combinations(voltages, size)]
    simulator = Simulator(model, plan.dt_s, len(subsets))
    if simulator.program.is_random:
        simulator = dataclasses.replace(simulator, forced=True, hazard=_hazard(model))
    starts = {one.name: one.start for one in plan.space.free} | dict(plan.fixed)
    whole = {one.name: starts.get(one.name, one.value) for one in model.parameters}
    shifts = {name: _SHIFT_MV / (1e3 * model.parameter(name).scale) for name in voltages}
    values = {
        name: jnp.asarray([value + shifts.get(name, 0.0) * (name in subset) for subset in subsets], jnp.float32)
        for name, value in whole.items()
    }
    run = jax.jit(lambda values, tapes: simulator.run(values, tapes, (_Course(),), None, False)[0][0][0])
    voltage, hazard = np.asarray(run(values, _stimulus(simulator)))
    off = np.quantile(np.abs(voltage - voltage[:, :1] - _SHIFT_MV), 0.8, axis=0)
    rises = np.quantile(np.abs(hazard - hazard[:, :1]), 0.8, axis=0)
    shifted = [subset for subset, one, other in zip(subsets, off, rises, strict=True) if one < 0.1 and other < 0.05]
    return tuple(name for name in voltages if shifted and all(name in subset for subset in shifted))


def _hazard(model: NeuronModel) -> str | None:
    """The subexpression in the threshold of a model that draws its spikes."""
    parsed = brian2.Equations(model.equations)
    names = get_identifiers(model.threshold) & {one for one in parsed.names if parsed[one].type == SUBEXPRESSION}
    return min(names, default=None)


def _stimulus(simulator: Simulator) -> Tapes:
    """A noisy ramp that makes a cell of any size fire; or forced spikes, and a current that a cell can live with."""
    random = np.random.default_rng(0)
    highest_na = 0.1 if simulator.forced else 3.0
    current = np.linspace(0.0, 1.0, _STEPS) ** 2 + 0.05 * np.repeat(random.normal(size=_STEPS // 50), 50)
    forced = jnp.asarray((np.arange(_STEPS) % 500 == 499)[None]) if simulator.forced else None
    places = np.minimum(np.arange(_STEPS) // 10, _STEPS // 10 - 1).astype(np.int32)
    return Tapes(
        jnp.asarray(highest_na * current[None], jnp.float32),
        forced,
        jnp.full(1, 50.0, jnp.float32),
        ({"place": jnp.asarray(places[None])},),
        ({"room": jnp.zeros((1, _STEPS // 10), jnp.float32)},),
    )


def frames_of(
    names: tuple[str, ...], values: Mapping[str, float], protocol: Protocol, in_loop_mv: float | None
) -> Frames:
    """Potentials in both frames.

    Args:
        names: the potentials among the values.
        values: fitted, in mV.
        protocol: of the recording.
        in_loop_mv: junction potential of the observation model, where one was part of the fit; None otherwise.
    """
    own = {name: float(values[name]) for name in names if name in values}
    if not own:
        return Frames({}, {}, in_loop_mv, "no fitted parameter is a potential that a shift of the voltage would move")
    if in_loop_mv is not None:
        raw = {name: value + in_loop_mv for name, value in own.items()}
        return Frames(raw, own, in_loop_mv, f"the fit removed {in_loop_mv:g} mV itself, by its observation model")
    if protocol["junction_potential_corrected"].value is True:
        return Frames({}, own, None, "the recording was corrected before the fit")
    potential = protocol["junction_potential"]
    if potential.status == "unreported":
        return Frames(
            own, {}, None, "the junction potential is unreported: these are voltages as the amplifier showed them"
        )
    mv = float(potential.value)  # type: ignore[arg-type]
    corrected = {name: value - mv for name, value in own.items()}
    return Frames(
        own, corrected, mv, f"{mv:g} mV, which the protocol reports and the recording still holds, was removed"
    )
