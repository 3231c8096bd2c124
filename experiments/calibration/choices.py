"""Which objective and which search: by name, or by what the recording and the model have."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from biophys.calibrate import (
    Coincidence,
    DifferentialEvolution,
    Evolution,
    Gradient,
    IntervalError,
    PointProcess,
    RateError,
    Target,
    TraceError,
    VanRossum,
    Weighted,
)
from biophys.calibrate.methods.method import Method
from biophys.calibrate.objectives.objective import Objective
from biophys.models import NeuronModel
from experiments.calibration.request import MethodName, ObjectiveName, has_spikes
from twin.errors import InputError

WINDOW_S = 0.004
# Differences of voltages nearer than this are taken as one in a likelihood: a membrane time constant or so.
INDEPENDENT_S = 0.01
SPIKE_WIDTH_MV = 1.0
_OF_SPIKES = {"coincidence", "rate", "intervals", "van_rossum", "likelihood"}
_OWN_SPIKES = _OF_SPIKES - {"likelihood"}


@dataclasses.dataclass(frozen=True)
class Chosen:
    """What is made small, and why.

    Attributes:
        weighted: objectives with their weights; a single one has the weight 1.
        names: of the objectives.
        reason: why these.
    """

    weighted: Weighted
    names: tuple[str, ...]
    reason: str

    @property
    def is_likelihood(self) -> bool:
        """Whether the curvature at the best set gives confidence intervals."""
        return len(self.names) == 1 and self.names[0] in ("trace", "likelihood")


def is_escape_noise(model: NeuronModel) -> bool:
    """Whether the model spikes at random with a hazard that its equations state."""
    return "rand()" in model.threshold and "hazard" in model.equations


def choose_objective(asked: Sequence[ObjectiveName], model: NeuronModel, target: Target, method: MethodName) -> Chosen:
    """The objective for a recording.

    Raises:
        InputError: one of them needs spikes of the recording, spikes of the model, or a hazard, and there are none.
    """
    names, reason = _names(asked, model, target, method)
    of_spikes = [name for name in names if name in _OF_SPIKES]
    if of_spikes and not has_spikes(target):
        raise InputError(
            f"{target.name}: --objective {', '.join(of_spikes)} needs spikes, and the sweeps to be fitted have none; "
            "use --objective trace, or a lower --spike-threshold."
        )
    if of_spikes and not model.threshold:
        raise InputError(
            f"{model.name} has no spikes and cannot be fitted to them; use --objective trace, or a model that spikes."
        )
    if "likelihood" in names and not is_escape_noise(model):
        raise InputError(f"{model.name} has no hazard, which --objective likelihood needs; gif has one.")
    if is_escape_noise(model) and (own := [name for name in names if name in _OWN_SPIKES]):
        raise InputError(
            f"{model.name} spikes at random, so --objective {', '.join(own)} of a single run is noise; use likelihood."
        )
    return Chosen(Weighted.of(*(_term(name, names, target) for name in names)), tuple(names), reason)


def _names(
    asked: Sequence[ObjectiveName], model: NeuronModel, target: Target, method: MethodName
) -> tuple[list[str], str]:
    if "auto" not in asked:
        return list(dict.fromkeys(asked)), "as was asked for"
    if not has_spikes(target):
        return ["trace"], "the sweeps have no spikes"
    if not model.threshold:
        return ["trace"], "the model has no spikes: the voltage between the recorded ones is fitted"
    if is_escape_noise(model):
        return ["likelihood", "trace"], "the model spikes at random: the recorded spikes are made probable"
    if method == "gradient":
        return ["van_rossum", "trace"], "the sweeps have spikes, and this distance has a derivative"
    return ["coincidence", "rate", "trace"], "the sweeps have spikes"


def _term(name: str, names: Sequence[str], target: Target) -> tuple[Objective, float]:
    """An objective and its weight: alone 1; beside others such that each costs about 1 where it is missed entirely."""
    alone = len(names) == 1
    if name == "trace":
        return TraceError(independent_s=INDEPENDENT_S), 1.0 if alone else 0.1
    if name == "coincidence":
        return Coincidence(window_s=WINDOW_S), 1.0
    if name == "rate":
        return RateError(), 1.0 if alone else 0.5 / _rate_hz(target)
    if name == "intervals":
        return IntervalError(), 1.0 if alone else 0.5
    if name == "van_rossum":
        return VanRossum(), 1.0
    return PointProcess(), 1.0


def _rate_hz(target: Target) -> float:
    rates = [sum(map(len, sweep)) / target.duration_s for sweep in target.spike_times_s or ()]
    return float(np.sqrt(np.mean(np.square(rates))))


def choose_method(name: MethodName, restarts: int, names: Sequence[str]) -> Method:
    """The search of that name.

    Raises:
        InputError: fewer than one restart.
    """
    if name == "cma":
        return Evolution(restarts=restarts)
    if name == "de":
        return DifferentialEvolution()
    through_spikes = any(one in _OWN_SPIKES for one in names)
    return Gradient(starts=4 * restarts, spike_width_mv=SPIKE_WIDTH_MV if through_spikes else None)
