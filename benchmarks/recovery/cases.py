"""What is recovered: a model of each class with a likelihood, what of it is free, and how it is recorded."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from biophys.calibrate import Free, PointProcess, Prior, TraceError, Weighted
from biophys.calibrate.objectives.objective import Objective
from biophys.calibrate.space import Space
from biophys.models import ALL, NeuronModel


@dataclasses.dataclass(frozen=True)
class Case:
    """One model and one kind of recording.

    Attributes:
        name: on the command line.
        title: in a line.
        model: name of the model in the library.
        free: what is drawn and found; bounds are the prior, even between them on the quantity's scale.
        fixed: parameters that have other values than the model's own.
        objective: what is made small; a likelihood.
        seconds: of the recording.
        dt_s: step of the model and of the recording.
        current_na: mean and standard deviation of the injected noise.
        noise_mv: standard deviation of the white noise on the recorded voltage.
        budget: simulations of a fit.
    """

    name: str
    title: str
    model: str
    free: tuple[Free, ...]
    objective: Objective | Weighted
    seconds: float
    dt_s: float
    current_na: tuple[float, float]
    fixed: Mapping[str, float] = dataclasses.field(default_factory=dict)
    noise_mv: float = 0.0
    budget: int = 1920

    @property
    def neuron(self) -> NeuronModel:
        """The model."""
        return ALL[self.model]

    @property
    def space(self) -> Space:
        """What is free."""
        return Space(self.free)


def even(name: str, low: float, high: float, unit: str) -> Free:
    """An even prior of the quantity itself."""
    return Free(name, (low + high) / 2, low, high, "linear", unit)


def sized(name: str, low: float, high: float, unit: str) -> Free:
    """An even prior of its logarithm."""
    return Free(name, float(np.sqrt(low * high)), low, high, "log", unit)


_E_L = Free("E_L", -66, -76, -58, "linear", "mV", Prior(-66, 4))

ALL_CASES = {
    one.name: one
    for one in (
        Case(
            name="passive",
            title="passive membrane, voltage with noise of 1 mV",
            model="passive",
            free=(sized("C", 60, 300, "pF"), sized("g_L", 4, 20, "nS"), even("E_L", -80, -60, "mV")),
            objective=TraceError(spikes="free", noise_sd_mv=1.0),
            seconds=0.4,
            dt_s=1e-4,
            current_na=(0.02, 0.1),
            noise_mv=1.0,
            budget=1280,
        ),
        Case(
            name="gif_spikes",
            title="GIF with escape noise, spike times alone",
            model="gif",
            free=(
                sized("g_L", 4, 16, "nS"),
                even("V_T_star", -54, -42, "mV"),
                sized("Delta_V", 0.5, 3, "mV"),
                even("a_gamma_1", 0, 15, "mV"),
            ),
            objective=PointProcess(),
            seconds=5.0,
            dt_s=5e-4,
            current_na=(0.2, 0.25),
        ),
        Case(
            name="gif_voltage",
            title="GIF with escape noise, spike times, and voltage with noise of 1 mV",
            model="gif",
            free=(
                even("C", 90, 220, "pF"),
                sized("g_L", 5, 14, "nS"),
                _E_L,
                even("V_r", -60, -50, "mV"),
                even("a_eta_2", 0, 50, "pA"),
                even("V_T_star", -52, -44, "mV"),
                sized("Delta_V", 0.5, 3, "mV"),
            ),
            objective=Weighted.of((TraceError(noise_sd_mv=1.0), 1.0), (PointProcess(), 1.0)),
            seconds=5.0,
            dt_s=5e-4,
            current_na=(0.2, 0.25),
            noise_mv=1.0,
        ),
        Case(
            name="adex",
            title="AdEx, voltage between spikes with noise of 1 mV",
            model="adex",
            free=(
                even("C", 120, 280, "pF"),
                sized("g_L", 6, 16, "nS"),
                even("E_L", -75, -60, "mV"),
                even("V_T", -54, -46, "mV"),
                sized("b", 20, 120, "pA"),
                even("V_r", -64, -54, "mV"),
            ),
            objective=TraceError(before_s=0.005, noise_sd_mv=1.0),  # nearer to a spike the upswing hides the rest
            fixed={"a": 2.0, "tau_w": 100.0, "V_peak": 0.0},
            seconds=0.8,
            dt_s=1e-4,
            current_na=(0.3, 0.3),
            noise_mv=1.0,
            budget=3840,
        ),
        Case(
            name="hodgkin_huxley",
            title="conductances of Hodgkin and Huxley, all of the voltage with noise of 1 mV",
            model="hodgkin_huxley",
            free=(
                sized("g_Na", 80, 180, "mS/cm²"),
                sized("g_K", 24, 54, "mS/cm²"),
                sized("g_L", 0.15, 0.6, "mS/cm²"),
                sized("c_m", 0.7, 1.4, "uF/cm²"),
            ),
            objective=TraceError(spikes="free", noise_sd_mv=1.0),
            seconds=0.1,
            dt_s=5e-5,
            current_na=(1.0, 1.0),
            noise_mv=1.0,
            budget=10240,
        ),
    )
}
