"""Bringing a published model to a preparation: the numbers, what is needed, and that nothing is done twice."""

import dataclasses

import pytest

from biophys.corrections.model import correct
from biophys.models import ALL
from twin.errors import UnreportedError, UnsupportedError
from twin.protocol import Covariate, Protocol

RECEPTOR = ALL["auditory_receptor"]
AT_28 = Protocol({"temperature": Covariate(28.0, "degC", "reported", "thermometer")})


def row(quantity: str, model=RECEPTOR, preparation=AT_28):
    return next(one for one in correct(model, preparation).log if one.quantity == quantity)


def test_the_junction_potential_moves_the_half_activation_as_published():
    """Hay et al. 2011 list -11 mV for the current whose uncorrected half activation is -1 mV."""
    assert (row("half activation of p").raw, row("half activation of p").corrected) == (-1.0, -11.0)
    assert correct(RECEPTOR, AT_28).values["junction_slow"] == 10.0


def test_temperature_scales_rates_conductances_and_reversal_potentials():
    """Ten degrees: rates of the spike generator times 3, conductances times 1.6, E_K from -72 to -74.473 mV."""
    assert row("rates of the spike generator (m, h, n, a, b)").corrected == pytest.approx(3.0)
    assert row("rates of the slow potassium current (p)").corrected == pytest.approx(2.3**0.7)
    assert row("g_na").corrected == pytest.approx(1.2 * 1.6)
    assert row("E_k").corrected == pytest.approx(-74.473, abs=1e-3)


def test_the_equations_apply_what_the_log_says():
    """The factors that the log states are those of the model's own text at that temperature."""
    import brian2

    values = correct(RECEPTOR, AT_28).values
    group = brian2.NeuronGroup(1, RECEPTOR.equations, method="exponential_euler", namespace={}, name="corrected*")
    for name in ("temperature_c", "q10_conductance", "q10_gate", "q10_slow_gate"):
        setattr(group, name, values[name])
    group.junction_slow = values["junction_slow"] * brian2.mV
    group.v = -11.0 * brian2.mV
    brian2.Network(group).run(0 * brian2.ms, namespace={})
    assert float(group.gate_warming[0]) == pytest.approx(3.0)
    assert float(group.slow_gate_warming[0]) == pytest.approx(2.3**0.7)
    assert float(group.conductance_warming[0]) == pytest.approx(1.6)
    assert float(group.absolute_warming[0]) * -72.0 == pytest.approx(-74.473, abs=1e-3)
    assert float(group.p_inf[0]) == pytest.approx(0.5)


def test_an_unreported_temperature_stops_the_correction():
    """Nobody knows the temperature: the sentence says what is needed for what, and how to give it."""
    with pytest.raises(UnreportedError, match="temperature of the preparation needs temperature"):
        correct(RECEPTOR, Protocol())


def _with_slow_current(**covariates: Covariate):
    spike, slow = RECEPTOR.kinetics
    changed = dataclasses.replace(slow, measured=slow.measured.updated(covariates))
    return dataclasses.replace(RECEPTOR, kinetics=(spike, changed))


def test_an_unreported_junction_potential_stops_the_correction():
    """Kinetics whose voltages were not corrected by an amount that nobody states cannot be used."""
    model = _with_slow_current(junction_potential=Covariate(None, "mV", "unreported"))
    with pytest.raises(UnreportedError, match="removing the junction potential"):
        correct(model, AT_28)


def test_what_was_corrected_is_not_corrected_again():
    """Kinetics that their authors corrected keep their voltages."""
    model = _with_slow_current(junction_potential_corrected=Covariate(True, "1", "reported", "paper"))
    assert correct(model, AT_28).values["junction_slow"] == 0.0
    assert not any("junction" in one.correction for one in correct(model, AT_28).log)


def test_a_model_without_temperature_is_refused():
    """An integrate-and-fire model has nothing that temperature acts on, and says so."""
    with pytest.raises(UnsupportedError, match="lif has no parameter temperature_c"):
        correct(ALL["lif"], AT_28)
