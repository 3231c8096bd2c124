"""A passive membrane: one capacitance, one leak."""

from brian2 import mV, nS, pF

from biophys.models.model import NeuronModel, Parameter

_NOMINAL = "nominal: a cortical pyramidal cell's order of magnitude, to be calibrated"

MODEL = NeuronModel(
    name="passive",
    title="passive membrane",
    equations="""
dv/dt = (g_L*(E_L - v) + I)/C : volt
I : amp
C : farad
g_L : siemens
E_L : volt
""",
    source="Rall 1977, in Handbook of Physiology, The Nervous System I: the isopotential RC membrane",
    parameters=(
        Parameter("C", 200.0, pF, _NOMINAL, bounds=(20.0, 2000.0)),
        Parameter("g_L", 10.0, nS, _NOMINAL, bounds=(0.5, 200.0)),
        Parameter("E_L", -70.0, mV, _NOMINAL, bounds=(-90.0, -50.0)),
    ),
    initial={"v": "E_L"},
    channels={"leak": "g_L"},
)
