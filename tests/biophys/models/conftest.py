"""Responses of a model to current steps, by the compiled program."""

import dataclasses
from collections.abc import Callable

import brian2
import jax
import numpy as np
import pytest

import biophys
from biophys.models import NeuronModel, neuron_group


@dataclasses.dataclass(frozen=True)
class Response:
    """Time (ms), voltage (mV; time, cell), and spike times (ms) of each cell."""

    time_ms: np.ndarray
    voltage_mv: np.ndarray
    spikes_ms: list[np.ndarray]

    def rate_hz(self, cell: int = 0) -> float:
        """One over the last interval; 0 without one."""
        times = self.spikes_ms[cell]
        return 1e3 / float(times[-1] - times[-2]) if times.size > 1 else 0.0


def _respond(
    model: NeuronModel,
    currents_na,
    duration_ms: float,
    *,
    start_ms: float = 0.0,
    end_ms: float | None = None,
    values=None,
    dt_ms: float | None = None,
) -> Response:
    dt_ms = model.recommended_dt_ms if dt_ms is None else dt_ms
    heights = np.atleast_1d(np.asarray(currents_na, float)) * 1e-9
    group = neuron_group(model, heights.size, values, dt=dt_ms * brian2.ms, name="cell")
    network = brian2.Network(group)
    group._network = network.id  # or Brian2 warns that the group never ran, which is so on purpose
    program = biophys.compile_network(network, {}, inputs=(f"cell.{model.current}",))
    time_ms = np.arange(round(duration_ms / dt_ms)) * dt_ms
    on = (time_ms >= start_ms - 1e-9) & (time_ms < (duration_ms if end_ms is None else end_ms) - 1e-9)
    names = (f"cell.{model.voltage}", *(("cell.spike",) if model.threshold else ()))
    _, recorded = program.run(
        duration_ms * 1e-3,
        tapes={f"cell.{model.current}": on[:, None] * heights},
        record=names,
        key=jax.random.key(1) if program.is_random else None,
    )
    spikes = np.asarray(recorded["cell.spike"]) if model.threshold else np.zeros((time_ms.size, heights.size), bool)
    voltage = np.asarray(recorded[names[0]]) * 1e3
    return Response(time_ms, voltage, [time_ms[one] for one in spikes.T])


@pytest.fixture(scope="session")
def respond() -> Callable[..., Response]:
    """A function from model, step currents (nA, one for each cell) and duration (ms) to a response."""
    return _respond
