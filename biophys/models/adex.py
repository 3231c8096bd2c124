"""The adaptive exponential integrate-and-fire neuron, and parameter sets for its firing patterns."""

from brian2 import ms, mV, nS, pA, pF

from biophys.models.model import NeuronModel, Parameter

_BRETTE = "Brette & Gerstner 2005, J Neurophysiol 94:3637"

MODEL = NeuronModel(
    name="adex",
    title="adaptive exponential integrate-and-fire",
    equations="""
dv/dt = (g_L*(E_L - v) + g_L*Delta_T*exp((v - V_T)/Delta_T) - w + I)/C : volt
dw/dt = (a*(v - E_L) - w)/tau_w : amp
I : amp
C : farad
g_L : siemens
E_L : volt
V_T : volt
Delta_T : volt
a : siemens
tau_w : second
b : amp
V_r : volt
V_peak : volt
""",
    source=_BRETTE,
    threshold="v > V_peak",
    reset="v = V_r; w += b",
    # The upswing is a singularity: a method of higher order would evaluate the exponential far beyond the peak.
    method="euler",
    parameters=(
        Parameter("C", 281.0, pF, _BRETTE, bounds=(20.0, 2000.0)),
        Parameter("g_L", 30.0, nS, _BRETTE, bounds=(0.5, 200.0)),
        Parameter("E_L", -70.6, mV, _BRETTE, bounds=(-90.0, -50.0)),
        Parameter("V_T", -50.4, mV, _BRETTE, bounds=(-65.0, -20.0)),
        Parameter("Delta_T", 2.0, mV, _BRETTE, bounds=(0.2, 10.0)),
        Parameter("a", 4.0, nS, _BRETTE, bounds=(-20.0, 100.0)),
        Parameter("tau_w", 144.0, ms, _BRETTE, bounds=(5.0, 1000.0)),
        Parameter("b", 80.5, pA, _BRETTE, bounds=(0.0, 1000.0)),
        Parameter("V_r", -70.6, mV, _BRETTE, bounds=(-90.0, -40.0)),
        Parameter("V_peak", 20.0, mV, _BRETTE),
    ),
    initial={"v": "E_L"},
    recommended_dt_ms=0.05,
    channels={"leak": "g_L"},
)

# Naud et al. 2008, Biol Cybern 99:335, table 1, in the version that reproduces the figures (Mueller; so in Brian2's
# examples): pattern -> parameters in the model's units; "step" is the current of the step, pA.
FIRING_PATTERNS: dict[str, dict[str, float]] = {
    pattern: dict(zip(("C", "g_L", "E_L", "a", "tau_w", "b", "V_r", "step"), numbers, strict=True))
    | {"V_T": -50.0, "Delta_T": 2.0, "V_peak": 0.0}
    for pattern, numbers in {
        "tonic": (200.0, 10.0, -70.0, 2.0, 30.0, 0.0, -58.0, 500.0),
        "adaptation": (200.0, 12.0, -70.0, 2.0, 300.0, 60.0, -58.0, 500.0),
        "initial burst": (130.0, 18.0, -58.0, 4.0, 150.0, 120.0, -50.0, 400.0),
        "regular bursting": (200.0, 10.0, -58.0, 2.0, 120.0, 100.0, -46.0, 210.0),
        "delayed accelerating": (200.0, 12.0, -70.0, -10.0, 300.0, 0.0, -58.0, 300.0),
        "delayed regular bursting": (100.0, 10.0, -65.0, -10.0, 90.0, 30.0, -47.0, 110.0),
        "transient": (100.0, 10.0, -65.0, 10.0, 90.0, 100.0, -47.0, 180.0),
        "irregular": (100.0, 12.0, -60.0, -11.0, 130.0, 30.0, -48.0, 160.0),
    }.items()
}
