"""The observation model sample by sample, so that a trace that is only compared need not be kept.

The same equations as `biophys.observation.ObservationModel.forward` in current clamp, as one recursion over time.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jax import Array
from scipy import signal

from biophys.corrections.bridge import pipette_time_constant_ms
from biophys.observation import ObservationModel
from twin.errors import InputError, UnsupportedError

Values = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Observer:
    """What the amplifier shows of n cells, one step at a time.

    Attributes:
        model: of the recording; None shows the membrane potential itself.
        free: names of the observation model's quantities that come with each parameter set.
    """

    model: ObservationModel | None
    free: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.model is None and self.free:
            raise InputError(
                f"{', '.join(self.free)} is free, but no observation model was given: pass observation=, made with "
                "ObservationModel.from_protocol."
            )
        if self.model is not None and self.model.clamp != "current":
            raise UnsupportedError(
                f"The observation model is of {self.model.clamp} clamp; a calibration compares voltages: give one of "
                "current clamp."
            )
        unknown = sorted(set(self.free) - (self.model.params.keys() if self.model else set()))
        if unknown:
            raise InputError(
                f"{', '.join(unknown)} is free and not in the observation model; give it to from_protocol."
            )

    def require_step(self, dt_s: float) -> None:
        """Check that the observation model is for traces of this step.

        Raises:
            InputError: it is for another.
        """
        if self.model is not None and abs(self.model.model_dt_ms - 1e3 * dt_s) > 1e-9:
            raise InputError(
                f"The observation model is for steps of {self.model.model_dt_ms:g} ms and the model steps by "
                f"{1e3 * dt_s:g} ms; make it with model_rate_hz={1 / dt_s:g}."
            )

    def params(self, values: Values) -> dict[str, Any]:
        """The observation model's numbers, with those that are free taken from a parameter set."""
        fixed = {} if self.model is None else dict(self.model.params)
        return fixed | {name: values[name] for name in self.free}

    def start(self, v_mv: Array, i_na: Array, params: Values) -> tuple[Array, ...]:
        """Electrode and filter in equilibrium with the first sample."""
        if self.model is None:
            return ()
        behind = v_mv + params["series_resistance_mohm"] * i_na
        shown = self._shown(behind, i_na, params)
        sections = self._settled
        return (behind, *(value * shown for pair in sections for value in pair))

    def show(self, carry: tuple[Array, ...], v_mv: Array, i_na: Array, params: Values) -> tuple[tuple, Array]:
        """The next sample, mV, and what the following one needs."""
        if self.model is None:
            return carry, v_mv
        tau_ms = pipette_time_constant_ms(params["series_resistance_mohm"], params["pipette_capacitance_pf"])
        some = tau_ms > 0
        kept = jnp.where(some, jnp.exp(-self.model.model_dt_ms / jnp.where(some, tau_ms, 1.0)), 0.0).astype(v_mv.dtype)
        before = v_mv + params["series_resistance_mohm"] * i_na
        behind = before + kept * (carry[0] - before)
        x, memory = self._shown(behind, i_na, params), []
        for number, (b0, b1, b2, _, a1, a2) in enumerate(self._sections):
            first, second = carry[1 + 2 * number : 3 + 2 * number]
            y = b0 * x + first
            memory += [b1 * x - a1 * y + second, b2 * x - a2 * y]
            x = y
        return (behind, *memory), x

    @staticmethod
    def _shown(behind_mv: Array, i_na: Array, params: Values) -> Array:
        return behind_mv - params["bridge_mohm"] * i_na + params["junction_potential_mv"]

    @property
    def _sections(self) -> list[list[float]]:
        low_pass = None if self.model is None else self.model.low_pass
        return [] if low_pass is None else low_pass.sections.tolist()

    @property
    def _settled(self) -> list[list[float]]:
        low_pass = None if self.model is None else self.model.low_pass
        return [] if low_pass is None else signal.sosfilt_zi(low_pass.sections).tolist()
