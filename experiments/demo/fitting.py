"""The two halves and how they are fitted, all on recording 1: cell alone, surrogate alone, and both together."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from biophys.calibrate import Calibration, Free, count_loss, evolve, expected_count, rate_loss
from biophys.circuit import CellCircuit
from biophys.corrections.model import CorrectedModel
from experiments.demo.settings import Settings
from surrogate.single import Fit
from surrogate.single.responses import Responses, latency_windows, past_of, responses
from surrogate.single.stepper import PARTS
from twin.alone import PassThrough, PoissonEmitter
from twin.coupling import Coupling, Twin, Wire, to_windows
from twin.errors import InputError
from twin.ports import Port
from twin.recording import Stream
from twin.split import TimeSplit

SOUND = Port("sound", "dB", 1)
CONDUCTANCES = ("g_na", "g_k", "g_a", "g_slow", "g_l", "sigma_noise")
GAIN_RANGE = (0.002, 0.2)  # nA per dB
BIAS_RANGE = (-0.5, 1.0)  # nA at the mean sound level
COUNT_WEIGHT = 5.0  # bits per spike for a spike number that is wrong by a factor of e; 10 % wrong costs 0.05
Progress = Callable[[float], None]


@dataclasses.dataclass(frozen=True)
class FittingData:
    """What may be looked at while fitting: the stimulus and response of recording 1, in windows.

    Attributes:
        responses: of the whole recording.
        split: training and validation part.
        sound: the whole stimulus.
        settings: sizes.
    """

    responses: Responses
    split: TimeSplit
    sound: Stream
    settings: Settings

    @classmethod
    def of(cls, tree: xr.DataTree, split: TimeSplit, sound: Stream, settings: Settings) -> "FittingData":
        """From recording 1.

        Raises:
            InputError: a part without spikes, from which nothing can be fitted or chosen.
        """
        data = cls(responses(tree, SOUND, settings.surrogate), split, sound, settings)
        for name, part in {"training": data.train, "validation": data.validation}.items():
            if not part.counts.sum():
                raise InputError(
                    f"{tree.attrs['name']}: the {name} part has no spikes; give a recording that has some."
                )
        return data

    def index(self, time_s: float) -> int:
        """The window that starts at a time."""
        return round((time_s - self.split.start_s) / self.settings.window_s)

    @property
    def train(self) -> Responses:
        """The training part."""
        return self.responses.between(0, self.index(self.split.validation_s))

    @property
    def validation(self) -> Responses:
        """The validation part."""
        return self.responses.between(self.index(self.split.validation_s), self.index(self.split.stop_s))

    @property
    def windows(self) -> np.ndarray:
        """The stimulus (window, 1)."""
        return to_windows(self.sound, self.settings.window_s, SOUND)

    @property
    def n_fitted(self) -> int:
        """Windows that calibrations use."""
        return min(self.index(self.split.validation_s), self.index(self.split.start_s + self.settings.fitted_s))


@dataclasses.dataclass(frozen=True)
class Calibrated:
    """A calibrated twin (or circuit alone) and how it was found."""

    twin: Twin
    values: Mapping[str, float]
    calibration: Calibration
    space: tuple[Free, ...]


def past_of_sound(sound: Stream, settings: Settings) -> np.ndarray:
    """For each window of a stimulus the last windows, the present one last: (window, lag)."""
    return past_of(to_windows(sound, settings.window_s, SOUND)[:, 0], settings.surrogate.n_lags)


def calibrate_circuit(cell: CorrectedModel, data: FittingData, key: Any, progress: Progress) -> Calibrated:
    """The cell alone, driven by a current that is proportional to the sound level, one latency late."""
    level = float(data.train.past[:, -1].mean())
    drive = PassThrough(data.settings.window_s, SOUND, latency_windows(data.train), resting=float(data.windows[0, 0]))
    coupling = Coupling((Wire("sound", "I_drive", gain=0.02, offset=0.0),))

    def gains(values: Mapping[str, Any]) -> dict[str, Any]:
        return {"gain": [values["gain"]], "offset": [values["bias"] - level * values["gain"]]}

    space = (
        *_conductances(cell, {}),
        Free("gain", 0.03, *GAIN_RANGE),
        Free("bias", 0.2, *BIAS_RANGE, "linear"),
    )
    return _calibrate(
        "circuit", drive, cell, coupling, gains, space, data, data.settings.circuit_generations, key, progress
    )


def calibrate_twin(cell: CorrectedModel, fit: Fit, start: Calibrated, data: FittingData, key: Any, progress: Progress):
    """Cell and coupling together: the surrogate drives the cell with its code of the sound and with adaptation.

    Its fast history stays out: refractoriness is the cell's own. The search starts from the circuit alone.
    """
    model = fit.surrogate.model
    code = np.asarray(model.encoder(jnp.asarray(data.train.past)) + model.baseline[...])
    level, per_code = float(code.mean()), float(data.train.past[:, -1].std() / code.std())
    coupling = Coupling(tuple(Wire(name, "I_drive", gain=0.0) for name in ("stimulus", "slow_history")))

    def gains(values: Mapping[str, Any]) -> dict[str, Any]:
        offset = values["bias"] - level * values["gain"]
        return {"gain": [values["gain"], values["slow_gain"]], "offset": [offset, jnp.zeros_like(offset)]}

    space = (
        *_conductances(cell, start.values),
        Free("gain", start.values["gain"] * per_code, GAIN_RANGE[0] * per_code, GAIN_RANGE[1] * per_code),
        Free("bias", start.values["bias"], *BIAS_RANGE, "linear"),
        Free("slow_gain", 0.1, 0.005, 1.0),
    )
    generations = data.settings.twin_generations
    return _calibrate("twin", fit.surrogate, cell, coupling, gains, space, data, generations, key, progress)


def _conductances(cell: CorrectedModel, start: Mapping[str, float]) -> list[Free]:
    free = []
    for name in CONDUCTANCES:
        bounds = cell.model.parameter(name).bounds
        assert bounds is not None, name  # a property of the model's own data, not of any input
        free.append(Free(name, start.get(name, cell.values[name]), *bounds))
    return free


def _calibrate(
    name: str,
    surrogate: Any,
    cell: CorrectedModel,
    coupling: Coupling,
    gains: Callable[[Mapping[str, Any]], dict[str, Any]],
    space: tuple[Free, ...],
    data: FittingData,
    generations: int,
    key: Any,
    progress: Progress,
) -> Calibrated:
    settings = data.settings
    # The search runs in single precision, which is twice as fast; the result is run in double.
    circuit = _circuit(cell, cell.values, settings, np.float32)
    trial = Twin(surrogate, circuit, coupling)
    windows, counts = data.windows[: data.n_fitted], jnp.asarray(data.responses.counts[: data.n_fitted])

    def loss(values: Mapping[str, Any], noise: Any) -> Any:
        cell_values = {one: values[one] for one in CONDUCTANCES}
        params = {**circuit.parameters, **circuit.to_si(cell_values)}
        wires = {part: jnp.stack(numbers) for part, numbers in gains(values).items()}
        keys = jax.random.split(noise, settings.fit_trials)
        spikes = jax.vmap(trial.spikes, in_axes=(None, None, None, 0))(windows, params, wires, keys)
        expected = expected_count(spikes, 1.0)
        return rate_loss(expected, counts) + COUNT_WEIGHT * count_loss(expected, counts)

    found = evolve(loss, space, key=key, population=settings.population, generations=generations, progress=progress)
    numbers = {part: [float(one) for one in column] for part, column in gains(_as_arrays(found.values)).items()}
    wires = tuple(
        dataclasses.replace(wire, gain=gain, offset=offset)
        for wire, gain, offset in zip(coupling.wires, numbers["gain"], numbers["offset"], strict=True)
    )
    values = {**cell.values, **{one: found.values[one] for one in CONDUCTANCES}}
    twin = Twin(surrogate, _circuit(cell, values, settings, np.float64), Coupling(wires), name=name)
    return Calibrated(twin, found.values, found, space)


def _circuit(cell: CorrectedModel, values: Mapping[str, float], settings: Settings, dtype: Any) -> CellCircuit:
    return CellCircuit(cell.model, values, window_s=settings.window_s, dt_s=settings.dt_s, dtype=dtype)


def _as_arrays(values: Mapping[str, float]) -> dict[str, np.ndarray]:
    return {name: np.asarray(value) for name, value in values.items()}


def surrogate_alone(fit: Fit, settings: Settings) -> Twin:
    """The surrogate on its own spikes: every part of its drive counts, and a Poisson emitter takes the cell's place."""
    wires = tuple(Wire(name, "log_count", gain=1.0) for name in PARTS)
    return Twin(fit.surrogate, PoissonEmitter(settings.window_s), Coupling(wires), name="surrogate")
