"""Synaptic receptors of Destexhe, Mainen and Sejnowski: transmitter comes as a square pulse and binds to a receptor.

The current is counted as positive where it depolarises, so it is g (E - v).
"""

from brian2 import mmolar, ms, mV, nS

from biophys.models.model import Parameter
from biophys.models.synapse import SynapseModel

_DESTEXHE = "Destexhe, Mainen & Sejnowski 1998, in Methods in Neuronal Modeling, 2nd ed., ch. 1"
_JAHR = "Jahr & Stevens 1990, J Neurosci 10:3178"
_NOMINAL = "nominal: the strength is the network's"
_BINDING = 1 / (mmolar * ms)
_PER_MS = 1 / ms

# A spike starts a pulse of transmitter that lasts T_duration; half a step keeps rounding from adding a step to it.
_PULSE = """
dremaining/dt = -1 : second (clock-driven)
T = T_max*int(remaining > dt/2) : mmolar
T_max : mmolar (shared)
T_duration : second (shared)
weight : 1
g_max : siemens (shared)
E_rev : volt (shared)
"""
_ON_PRE = "remaining = T_duration"

_FIRST_ORDER = """
dR/dt = alpha*T*(1 - R) - beta*R : 1 (clock-driven)
alpha : 1/mmolar/second (shared)
beta : Hz (shared)
"""
_CURRENT = "{current}_post = weight*g_max*R*(E_rev - {voltage}_post) : amp (summed)\n"
_CURRENT_NMDA = """
{current}_post = weight*g_max*R*unblocked*(E_rev - {voltage}_post) : amp (summed)
unblocked = 1/(1 + Mg/(3.57*mmolar)*exp(-0.062*{voltage}_post/mV)) : 1
Mg : mmolar (shared)
"""


def _common(g_max_ns: float, e_rev_mv: float, t_max_mm: float = 1.0, t_ms: float = 1.0) -> tuple[Parameter, ...]:
    return (
        Parameter("weight", 1.0, 1, _NOMINAL),
        Parameter("g_max", g_max_ns, nS, _NOMINAL, bounds=(0.0, 100.0)),
        Parameter("E_rev", e_rev_mv, mV, _DESTEXHE),
        Parameter("T_max", t_max_mm, mmolar, _DESTEXHE),
        Parameter("T_duration", t_ms, ms, _DESTEXHE),
    )


def _rates(alpha: float, beta: float) -> tuple[Parameter, ...]:
    return (
        Parameter("alpha", alpha, _BINDING, _DESTEXHE, bounds=(alpha / 10, alpha * 10)),
        Parameter("beta", beta, _PER_MS, _DESTEXHE, bounds=(beta / 10, beta * 10)),
    )


AMPA = SynapseModel(
    name="ampa",
    title="AMPA receptor, first-order kinetics",
    equations=_CURRENT + _FIRST_ORDER + _PULSE,
    source=_DESTEXHE,
    on_pre=_ON_PRE,
    parameters=_common(0.5, 0.0) + _rates(1.1, 0.19),
)

NMDA = SynapseModel(
    name="nmda",
    title="NMDA receptor, first-order kinetics with magnesium block",
    equations=_CURRENT_NMDA + _FIRST_ORDER + _PULSE,
    source=f"{_DESTEXHE}; block: {_JAHR}",
    on_pre=_ON_PRE,
    parameters=_common(0.2, 0.0) + _rates(0.072, 0.0066) + (Parameter("Mg", 1.0, mmolar, _JAHR, bounds=(0.01, 4.0)),),
)

GABA_A = SynapseModel(
    name="gaba_a",
    title="GABA_A receptor, first-order kinetics",
    equations=_CURRENT + _FIRST_ORDER + _PULSE,
    source=_DESTEXHE,
    on_pre=_ON_PRE,
    parameters=_common(0.5, -80.0) + _rates(5.0, 0.18),
)

GABA_B = SynapseModel(
    name="gaba_b",
    title="GABA_B receptor with G protein and four binding sites",
    equations="""
{current}_post = weight*g_max*G**4/(G**4 + K_D)*(E_rev - {voltage}_post) : amp (summed)
dR/dt = K_1*T*(1 - R) - K_2*R : 1 (clock-driven)
dG/dt = K_3*R - K_4*G : 1 (clock-driven)
K_1 : 1/mmolar/second (shared)
K_2 : Hz (shared)
K_3 : Hz (shared)
K_4 : Hz (shared)
K_D : 1 (shared)
"""
    + _PULSE,
    source=_DESTEXHE,
    on_pre=_ON_PRE,
    parameters=_common(1.0, -95.0, t_max_mm=0.5, t_ms=0.3)
    + (
        Parameter("K_1", 0.09, _BINDING, _DESTEXHE),
        Parameter("K_2", 0.0012, _PER_MS, _DESTEXHE),
        Parameter("K_3", 0.18, _PER_MS, _DESTEXHE + "; G is in uM, written as a number"),
        Parameter("K_4", 0.034, _PER_MS, _DESTEXHE),
        Parameter("K_D", 100.0, 1, _DESTEXHE + "; uM**4, written as a number"),
    ),
)
