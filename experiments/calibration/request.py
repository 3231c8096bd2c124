"""What a calibration was asked for, and the choices that were left to the command."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from biophys.calibrate import Free, Target, target_of
from biophys.models import ALL, NeuronModel
from experiments.calibration.free import free_of
from twin import recording
from twin.errors import InputError

MethodName = Literal["cma", "de", "gradient"]
ObjectiveName = Literal["auto", "trace", "coincidence", "rate", "intervals", "van_rossum", "likelihood"]

NOTHING = "none"  # the word for --held-out that holds nothing out
SPIKE_THRESHOLD_MV = -20.0
HELD_OUT_SHARE = 0.2
SETTLE_S = 0.2
_STEADY_S = 0.01


@dataclasses.dataclass(frozen=True)
class Request:
    """The command's options.

    Attributes:
        recording: the zarr folder.
        model: name of a neuron model of the library.
        method: search.
        objective: what is made small; "auto" chooses by what the recording has.
        budget: simulations of all fitted sweeps.
        restarts: searches side by side, or starts of the gradient.
        held_out: names of sweeps that are scored only; empty chooses the last ones, "none" none.
        protocol: TOML file with what is known beyond the recording.
        kind: which group of sweeps, for a recording with several.
        spike_threshold_mv: upward crossings are spikes, mV; None takes the recording's own, or crossings of -20 mV.
        dt_ms: step of the model; its own if it is None.
        seed: of everything random.
        bounds: "NAME=LOW:HIGH", for parameters whose bounds are not those of the model.
        fixed: "NAME=VALUE", for parameters that are not fitted.
    """

    recording: Path
    model: str
    method: MethodName = "cma"
    objective: tuple[ObjectiveName, ...] = ("auto",)
    budget: int = 2000
    restarts: int = 4
    held_out: tuple[str, ...] = ()
    protocol: Path | None = None
    kind: str | None = None
    spike_threshold_mv: float | None = None
    dt_ms: float | None = None
    seed: int = 0
    bounds: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Material:
    """What is fitted and what is scored.

    Attributes:
        model: to be fitted.
        fitted: sweeps that are fitted.
        held_out: sweeps that are only scored; None without any.
        held_out_reason: how they were chosen, or why there are none.
        spikes: where the spikes come from, in words.
        settle_s: how long the first current is held before the first sample.
        free: quantities to be found.
        fixed: parameter -> value, for those that are not fitted and are not the model's own.
    """

    model: NeuronModel
    fitted: Target
    held_out: Target | None
    held_out_reason: str
    spikes: str
    settle_s: float
    free: Mapping[str, Free]
    fixed: Mapping[str, float]


def model_named(name: str) -> NeuronModel:
    """The neuron model of that name.

    Raises:
        InputError: there is none, or nothing of it can be fitted.
    """
    if name not in ALL:
        raise InputError(f"no neuron model {name!r}; the models are: {', '.join(ALL)}.")
    if not ALL[name].fitted:
        raise InputError(f"{name}: none of its parameters has bounds, so nothing can be fitted; choose another model.")
    return ALL[name]


def read(asked: Request) -> Material:
    """The recording's sweeps, divided.

    Raises:
        InputError: an unknown model, no current clamp sweeps with current and voltage, a threshold that is no spike
            threshold for this recording, or a sweep that is not there.
    """
    model = model_named(asked.model)
    free, fixed = free_of(model, asked.bounds, asked.fixed)
    tree = recording.open(asked.recording)
    if not recording.sweep_sets(tree):
        has = ", ".join(sorted(str(name) for name in tree.children if name != "protocol")) or "nothing"
        raise InputError(
            f"{asked.recording}: has no sweeps to fit, only {has}; give a recording with voltage and injected current."
        )
    if asked.protocol is not None:
        tree = recording.with_protocol_file(tree, asked.protocol)
    threshold = asked.spike_threshold_mv
    if threshold is None and "spikes" not in tree.children:
        threshold = SPIKE_THRESHOLD_MV
    whole = target_of(tree, kind=asked.kind, spike_threshold_mv=threshold)
    if threshold is not None:
        _require_threshold(whole, threshold)
    words = "the recording's own" if threshold is None else f"upward crossings of {threshold:g} mV"
    names, reason = _held_out(whole, asked.held_out)
    rest = [one for one in whole.sweeps if one not in names]
    if names and not rest:
        raise InputError(f"{asked.recording}: all {len(names)} sweeps were held out; leave one or more to fit.")
    other = whole.part(names) if names else None
    return Material(model, whole.part(rest), other, reason, words, _settle_s(whole), free, fixed)


def has_spikes(target: Target) -> bool:
    """Whether any sweep has a spike."""
    return any(_counts(target))


def _counts(target: Target) -> list[int]:
    return [sum(len(train) for train in sweep) for sweep in target.spike_times_s or ()]


def _require_threshold(target: Target, threshold_mv: float) -> None:
    assert target.voltage_mv is not None  # `target_of` refuses sweeps without
    middle = float(np.nanmedian(target.voltage_mv))
    if middle >= threshold_mv:
        raise InputError(
            f"{target.name}: the median voltage is {middle:.1f} mV, above the spike threshold of {threshold_mv:g} mV, "
            "so that crossings are no spikes; give a higher --spike-threshold."
        )


def _held_out(whole: Target, asked: Sequence[str]) -> tuple[list[str], str]:
    """Names of the sweeps to hold out, and why those."""
    if list(asked) == [NOTHING]:
        return [], "none, as was asked for"
    if asked:
        whole.part(asked)  # refuses a sweep that is not there
        return list(asked), "as was asked for"
    if len(whole.sweeps) == 1:
        return [], "none: the recording has one sweep, which is fitted"
    n = max(1, int(HELD_OUT_SHARE * len(whole.sweeps)))
    spiking = [name for name, count in zip(whole.sweeps, _counts(whole), strict=False) if count]
    if not spiking:
        return list(whole.sweeps[-n:]), "the last sweeps"
    if len(spiking) == 1:
        return [], f"none: only sweep {spiking[0]} has spikes, and it is fitted"
    # as many of the last sweeps as leave spikes on both sides
    last = list(whole.sweeps[-n:])
    if not set(last) & set(spiking) or not set(spiking) - set(last):
        return [spiking[-1]], "the last sweep with spikes"
    return last, "the last sweeps"


def _settle_s(whole: Target) -> float:
    """A steady first current is held until the model is at rest; a noisy one says nothing about the time before."""
    first = whole.current_na[:, : max(round(_STEADY_S / whole.dt_s), 2)]
    return SETTLE_S if first.std(axis=1).max() <= 0.05 * max(np.ptp(whole.current_na), 1e-12) else 0.0
