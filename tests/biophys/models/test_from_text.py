"""Anybody's equations: units read from the text, bounds from the user, and sentences for what does not fit."""

import brian2
import numpy as np
import pytest
from brian2 import Quantity, ms, mV, nS, pA, pF

import biophys
from biophys.models import ALL, Parameter, from_equations, neuron_group, with_currents
from twin.errors import InputError

TEXT = """
dv/dt = (g*(E - v) + I)/C : volt
I : amp
g : siemens
E : volt
"""
VALUES = {"g": 10 * nS, "E": -0.07, "C": 200 * pF}


def test_equations_become_a_model():
    """Units are the equations'; numbers keep their own; a constant that the text uses is declared; it runs."""
    model = from_equations("mine", TEXT, parameters=VALUES, bounds={"g": (1 * nS, 100 * nS)}, initial={"v": "E"})
    assert model.inputs == ("I",)
    assert (model.parameter("g").value, model.parameter("g").unit_text, model.parameter("g").bounds) == (
        pytest.approx(10.0),
        "nS",
        (pytest.approx(1.0), pytest.approx(100.0)),
    )
    assert (model.parameter("E").value, model.parameter("E").unit_text) == (-0.07, "V")
    assert [one.name for one in model.fitted] == ["g"]
    group = neuron_group(model, 1, name="cell")
    group.I = 100 * pA
    program = biophys.compile_network(brian2.Network(group), {})
    brian2.Network(group).run(0 * ms, namespace={})
    _, recorded = program.run(0.1, record=("cell.v",))
    assert float(recorded["cell.v"][200, 0]) == pytest.approx(-0.07 + 0.01 * (1 - np.exp(-1.0)), rel=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"voltage": "u"}, "mine has no variable 'u' to compare with a recording; it has v"),
        ({"parameters": VALUES | {"gg": 1 * nS}}, "mine: gg in `parameters` is not among"),
        ({"parameters": {"g": 10 * nS, "C": 200 * pF}}, "mine: no value for E; give it"),
        ({"parameters": {"g": 10 * nS, "E": -0.07}}, "the equations use C, which they do not define"),
        ({"bounds": {"g": (20 * nS, 100 * nS)}}, "g starts at 10 nS and has the bounds 20 and 100"),
        ({"bounds": {"g": (1 * mV, 2 * mV)}}, "the lower bound of g has the unit volt; the equations say siemens"),
        ({"bounds": {"h": (1, 2)}}, "mine: h in `bounds`"),
        ({"parameters": VALUES | {"g": 10 * mV}}, "the value of g has the unit volt; the equations say siemens"),
        ({"inputs": ("J",)}, "mine: J in `inputs`"),
        ({"initial": {"w": "0"}}, "mine: w in `initial`"),
        ({"equations": "dv/dt = "}, "Brian2 cannot read these equations"),
    ],
)
def test_what_does_not_fit_is_a_sentence(change, message):
    """Names the model, what was found, and what was wanted."""
    arguments = {"equations": TEXT, "parameters": VALUES} | change
    with pytest.raises(InputError, match=message):
        from_equations("mine", **arguments)


def test_bounds_must_hold_the_start():
    """A parameter of the library too: low < high, and the value between."""
    with pytest.raises(InputError, match="wanted low < high and a start between them"):
        Parameter("g", 1.0, 1, "nobody", bounds=(2.0, 3.0))
    with pytest.raises(InputError, match="wanted low < high"):
        Parameter("g", 2.0, 1, "nobody", bounds=(3.0, 1.0))


def test_more_currents_add_up():
    """The injected current and two others are one current to the membrane."""
    model = with_currents(ALL["passive"], "I_one", "I_two")
    assert (model.current, model.inputs) == ("I_injected", ("I_injected",))
    group = neuron_group(model, 1)
    group.I_injected, group.I_one, group.I_two = 1 * pA, 2 * pA, 4 * pA
    brian2.Network(group).run(0 * ms, namespace={})
    assert float(group.I[0]) == pytest.approx(7e-12)
    assert isinstance(group.I[0], Quantity)


def test_a_taken_name_is_refused():
    """A second current of the same name, and a model whose current is no parameter."""
    with pytest.raises(InputError, match="passive has g_L already"):
        with_currents(ALL["passive"], "g_L")
    silent = from_equations("silent", "dv/dt = -v/(10*ms) : volt")
    with pytest.raises(InputError, match="silent has no current 'I' among its parameters, which are nothing"):
        with_currents(silent, "I_one")
