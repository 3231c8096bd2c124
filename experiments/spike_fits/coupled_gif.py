"""The GIF whose threshold follows the voltage as well, and whose membrane leaks more after a spike; with start values.

A threshold that rises with the voltage within about a millisecond makes the cell respond to fast rises of its input
(Platkiewicz & Brette 2011, PLoS Comput Biol 7:e1001129; Mensi et al. 2016, PLoS Comput Biol 12:e1004761, where it is a
nonlinear function; here it is a linear one). After a spike the conductance of the membrane is changed for tens of
milliseconds, not only its current (Badel et al. 2008, J Neurophysiol 99:656).
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy import signal

from biophys.calibrate import Target
from biophys.models import gif
from biophys.models.model import NeuronModel, Parameter
from experiments.spike_fits.history_glm import poisson_regression
from experiments.spike_fits.simulate import forced

_ADDED = """
dtheta/dt = (k_theta*(v - E_L) - theta)/tau_theta : volt
dg_spike/dt = -g_spike/tau_spike : siemens
dgamma_3/dt = -gamma_3/tau_gamma_3 : volt
V_threshold = V_T_star + gamma_1 + gamma_2 + gamma_3 + theta : volt
hazard = lambda_0*exp(clip((v - V_threshold)/Delta_V, -30, 3))*int(not_refractory) : Hz
k_theta : 1
tau_theta : second
a_gamma_3 : volt
tau_gamma_3 : second
a_spike : siemens
tau_spike : second
"""
_TO_REST = "(E_L - v)"
_LEAK = f"g_L*{_TO_REST}"
_SOURCE = "nominal, to be calibrated"
_MV, _MS, _NS = (gif.MODEL.parameter(name).unit for name in ("V_T_star", "tau_eta_1", "g_L"))
_BOUNDS = {
    "E_L": (-95.0, -30.0),
    "V_r": (-90.0, 0.0),
    "V_T_star": (-90.0, 0.0),
    "Delta_V": (0.1, 20.0),
    "a_eta_1": (-2000.0, 2000.0),
    "a_gamma_1": (-20.0, 100.0),
    "tau_gamma_1": (1.0, 15.0),
    "tau_gamma_2": (10.0, 200.0),
}
_MORE = (
    Parameter("k_theta", 0.5, 1, _SOURCE, bounds=(-0.5, 2.0)),
    Parameter("tau_theta", 1.0, _MS, _SOURCE, bounds=(0.2, 20.0)),
    Parameter("a_gamma_3", 0.0, _MV, _SOURCE, bounds=(-20.0, 20.0)),
    Parameter("tau_gamma_3", 250.0, _MS, _SOURCE, bounds=(100.0, 2000.0)),
    Parameter("a_spike", 0.5, _NS, _SOURCE, bounds=(-5.0, 60.0)),
    Parameter("tau_spike", 30.0, _MS, _SOURCE, bounds=(5.0, 300.0)),
)
_ETA_TAUS_MS, _GAMMA_TAUS_MS, _THETA_TAU_MS = (5.0, 50.0, 300.0), (4.0, 30.0, 200.0), 1.0
_BEFORE_S = 0.002  # a voltage this near before a spike is on its upswing
_START_V_MV = -45.0  # the hazard's regression counts the voltage from here, which keeps its columns small


def _without(text: str, *names: str) -> str:
    """Equations without the lines that define these names."""
    return "\n".join(line for line in text.splitlines() if not any(line.startswith(f"{name} =") for name in names))


def _bounded(parameter: Parameter) -> Parameter:
    if parameter.name not in _BOUNDS:
        return parameter
    low, high = _BOUNDS[parameter.name]
    return dataclasses.replace(parameter, bounds=(low, high), value=float(np.clip(parameter.value, low, high)))


ESCAPE: NeuronModel = dataclasses.replace(
    gif.MODEL,
    name="gif_coupled",
    title="GIF whose spikes change threshold and conductance, whose threshold follows the voltage, with escape noise",
    equations=_without(gif.MODEL.equations, "V_threshold", "hazard").replace(_LEAK, f"(g_L + g_spike)*{_TO_REST}")
    + _ADDED,
    reset=gif.MODEL.reset.strip() + "\ngamma_3 += a_gamma_3\ng_spike += a_spike",
    parameters=(*map(_bounded, gif.MODEL.parameters), *_MORE),
)
FREE = tuple(one.name for one in ESCAPE.fitted)


def start_values(target: Target, t_ref_ms: float) -> dict[str, float]:
    """Start values: membrane and adaptation current by regression of dV/dt, the hazard by a Poisson regression.

    Both regressions are convex once time constants are chosen (Mensi et al. 2012, J Neurophysiol 107:1756;
    Pozzorini et al. 2015, PLoS Comput Biol 11:e1004275); `calibrate` then moves those as well.

    Args:
        target: voltage and spikes of each repeat; what of them is scored is used.
        t_ref_ms: refractory period, during which the voltage is held.
    """
    raster = target.raster()
    steps = [np.flatnonzero(row) for row in raster]
    membrane = _membrane(target, steps, t_ref_ms)
    hazard = _hazard(target, raster, steps, {**membrane, "k_theta": 0.0, "a_spike": 0.0})
    added = {name: ESCAPE.parameter(name).value for name in ("a_spike", "tau_spike")}
    return {name: _inside(name, value) for name, value in {**membrane, **hazard, **added}.items()}


def _membrane(target: Target, steps: Sequence[np.ndarray], t_ref_ms: float) -> dict[str, float]:
    dt_ms, held = 1e3 * target.dt_s, round(t_ref_ms * 1e-3 / target.dt_s)
    before = round(_BEFORE_S / target.dt_s)
    voltage = target.voltage("the regression of dV/dt")
    square, product, resets = 0.0, 0.0, []
    for row, current, spikes in zip(voltage, target.current_na, steps, strict=True):
        used = target.scored & np.isfinite(row)
        used[-1] = False
        for step in spikes:
            used[max(step + 1 - before, 0) : step + 2 + held] = False
        resets += [row[step + 1 + held] for step in spikes if step + 1 + held < len(row)]
        columns = np.column_stack(
            [np.ones(len(row)), row, current, *_after_spikes(spikes, len(row), dt_ms, _ETA_TAUS_MS)]
        )
        slope = np.diff(row, append=row[-1]) / dt_ms
        square = square + columns[used].T @ columns[used]
        product = product + columns[used].T @ slope[used]
    constant, leak, gain, *eta = np.linalg.lstsq(np.asarray(square), np.asarray(product), rcond=None)[0].tolist()
    leak, gain = min(leak, -1e-3), max(gain, 1e-2)
    capacity = 1e3 / gain
    values = {"C": capacity, "g_L": -leak * capacity, "E_L": -constant / leak, "t_ref": t_ref_ms}
    values["V_r"] = float(np.mean(resets)) if resets else -constant / leak
    for number, (weight, tau) in enumerate(zip(eta, _ETA_TAUS_MS, strict=True), start=1):
        values |= {f"a_eta_{number}": -weight * capacity, f"tau_eta_{number}": tau}
    return {name: _inside(name, value) for name, value in values.items()}


def _hazard(
    target: Target, raster: np.ndarray, steps: Sequence[np.ndarray], membrane: dict[str, float]
) -> dict[str, float]:
    """log hazard = (v - V_T* - gammas - theta) / Delta_V is linear in 1/Delta_V and quotients of the rest by it."""
    dt_ms, held = 1e3 * target.dt_s, round(membrane["t_ref"] * 1e-3 / target.dt_s)
    voltage = forced(ESCAPE, membrane, target.current_na, raster, target.dt_s).voltage_mv - _START_V_MV
    decay = np.exp(-dt_ms / _THETA_TAU_MS)
    rows, seen = [], []
    for row, spikes in zip(voltage, steps, strict=True):
        used, fired = target.scored.copy(), np.zeros(len(row))
        for step in spikes:
            used[step + 1 : step + 1 + held] = False
        fired[spikes] = 1.0
        follows = signal.lfilter([1.0 - decay], [1.0, -decay], row, zi=[row[0] * decay])[0]
        columns = [np.ones(len(row)), row, follows, *_after_spikes(spikes, len(row), dt_ms, _GAMMA_TAUS_MS)]
        rows.append(np.column_stack(columns)[used])
        seen.append(fired[used])
    constant, slope, follows_weight, *gamma = poisson_regression(
        np.concatenate(rows), np.concatenate(seen), 1e-3
    ).tolist()
    width = 1.0 / max(slope, 0.05)
    coupling = float(np.clip(-follows_weight * width, -0.4, 1.5))
    lambda_0_per_ms = 1e-3 * ESCAPE.parameter("lambda_0").value
    threshold = (
        _START_V_MV - (constant - np.log(lambda_0_per_ms * dt_ms)) * width - coupling * (_START_V_MV - membrane["E_L"])
    )
    values = {"V_T_star": threshold, "Delta_V": width, "k_theta": coupling, "tau_theta": _THETA_TAU_MS}
    for number, (weight, tau) in enumerate(zip(gamma, _GAMMA_TAUS_MS, strict=True), start=1):
        values |= {f"a_gamma_{number}": -weight * width, f"tau_gamma_{number}": tau}
    return values


def _after_spikes(
    spikes: np.ndarray, n: int, dt_ms: float, taus_ms: Sequence[float]
) -> list[Float[np.ndarray, " time"]]:
    """Exponentials that begin with the step after each spike."""
    begins = np.zeros(n)
    begins[spikes[spikes + 1 < n] + 1] = 1.0
    return [signal.lfilter([1.0], [1.0, -np.exp(-dt_ms / tau)], begins) for tau in taus_ms]


def _inside(name: str, value: float) -> float:
    """A start a little within its bounds."""
    bounds = ESCAPE.parameter(name).bounds
    if bounds is None:
        return float(value)
    low, high = bounds
    edge = 1e-3 * (high - low) if low <= 0 else 0.01 * low
    return float(np.clip(value, low + edge, high - edge))
