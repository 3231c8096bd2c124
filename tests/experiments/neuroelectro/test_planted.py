"""NeuroElectro on a planted table: effects come back, confounds are refused, permuted conditions bring nothing."""

import numpy as np
import pytest
from rich.console import Console

from experiments.neuroelectro import classify, gate, held_out, junction_effect, leave_out, stepwise, table
from experiments.neuroelectro.additive import fit, resampled_effects
from experiments.neuroelectro.coding import METADATA, OFFERED, Coding
from experiments.neuroelectro.experiment import find
from experiments.neuroelectro.verdicts import claims
from twin.errors import UnsupportedError
from twin.judge.identifiability import crossing, one_hot

JUNCTION_MV = 9.0  # planted in thresholds that were not corrected
PER_DEGREE = 0.04  # planted in log10 input resistance, decades per degree


def test_types_taken_out_first_is_least_squares_on_all_columns(rows, measured):
    """Effects, type levels, rank and adjusted R2 are those of ordinary least squares with a column for each type."""
    data = measured(rows, "input_resistance")
    conditions = data.conditions(METADATA)
    model = fit(data, conditions)
    design = np.hstack([one_hot(np.array(data.type_names)[data.types]), conditions])
    solution, _, rank, _ = np.linalg.lstsq(design, data.values, rcond=None)
    np.testing.assert_allclose(np.concatenate([model.level, model.effects]), solution, atol=1e-9)
    sse, n = float(((data.values - design @ solution) ** 2).sum()), len(data.values)
    assert model.rank == rank and model.sse == pytest.approx(sse)
    assert model.adjusted_r2 == pytest.approx(1 - sse / (n - rank) / data.values.var(ddof=1))
    assert model.bic == pytest.approx(n * np.log(sse / n) + rank * np.log(n))


def test_a_row_left_out_by_weight_is_a_row_that_is_not_there(rows, measured):
    """Predicting a lab with weights of 0 equals predicting it from a table without that lab."""
    data = measured(rows, "spike_threshold", labs_per_type=2)
    predicted = leave_out.leave_one_lab_out(data).predicted["type_and_metadata"]
    left = data.labs == 3
    design = np.hstack([data.membership, data.conditions(METADATA)])
    solution = np.linalg.lstsq(design[~left], data.values[~left], rcond=None)[0]
    np.testing.assert_allclose(predicted[left], design[left] @ solution, atol=1e-9)


def test_many_draws_at_once_are_many_fits(rows, measured):
    """The effects of all bootstrap draws together are those of one fit for each draw."""
    data = measured(rows, "spike_threshold")
    conditions = data.conditions(METADATA)
    draws = np.random.default_rng(0).multinomial(len(data.values), np.full(len(data.values), 1 / len(data.values)), 5)
    each = [fit(data, conditions, weights=draw.astype(float)).effects for draw in draws]
    np.testing.assert_allclose(resampled_effects(data, conditions, draws.astype(float)), each, atol=1e-8)


def test_the_adjusted_value_is_residual_plus_prediction_at_mode_and_mean(rows, measured):
    """The coding is zero at the most frequent level and at the mean, so adjusting is taking the effects away."""
    data = measured(rows, "input_resistance")
    chosen = stepwise.stepwise(data)
    residual = data.values - chosen.model.predict(data.types, data.conditions(chosen.terms))
    reference = rows.isel(row=[0] * len(data.values)).copy()
    for factor in ("electrode", "junction_potential"):
        levels, counts = np.unique(table.texts(rows, factor), return_counts=True)
        reference[factor] = ("row", np.array([str(levels[counts.argmax()])] * len(data.values), object))
    for number in ("log_age", "temperature"):
        reference[number] = ("row", np.full(len(data.values), float(rows[number].mean())))
    at_reference = chosen.model.predict(data.types, data.coding.encode(reference, chosen.terms))
    adjusted = data.values - data.conditions(chosen.terms) @ chosen.model.effects
    np.testing.assert_allclose(adjusted, residual + at_reference, atol=1e-9)


def test_planted_terms_are_chosen_and_others_are_not(rows, measured):
    """Temperature explains input resistance, the junction potential thresholds, and nothing amplitudes."""
    resistance, threshold = (
        stepwise.stepwise(measured(rows, name)) for name in ("input_resistance", "spike_threshold")
    )
    assert resistance.terms == ("temperature",) and threshold.terms == ("junction_potential",)
    per_sd = resistance.model.effects[0] / Coding.of(rows).spread["temperature"]
    assert per_sd == pytest.approx(-PER_DEGREE, abs=0.004)
    assert stepwise.stepwise(measured(rows, "spike_amplitude")).terms == ()
    assert stepwise.stepwise(measured(rows, "spike_threshold"), start=OFFERED).terms == ("junction_potential",)


def test_the_planted_junction_potential_is_recovered_and_subtracted(rows):
    """+9 mV in thresholds lies within its interval over labs, 0 in that of resting potentials; subtracting helps."""
    found = junction_effect.shifts(rows, Coding.of(rows), 0)
    shift = found.shift("spike_threshold")
    assert shift.interval.low < JUNCTION_MV < shift.interval.high and shift.interval.high - shift.interval.low < 4
    assert shift.value_mv == pytest.approx(JUNCTION_MV, abs=1.0) and shift.p < 1e-6 and shift.n_types == 6
    rest = found.shift("resting_potential")
    assert rest.interval.low < 0 < rest.interval.high
    threshold, resting = found.subtractions
    assert threshold.before_mv - threshold.after_mv == pytest.approx(JUNCTION_MV) and threshold.shrunk.low > 0
    assert resting.shrunk.high < 0, "taking 9 mV from potentials without a shift makes one"


def test_conditions_help_in_a_new_lab_where_planted_and_permuted_ones_never(rows, measured):
    """R2 rises for the two planted properties; permuted conditions cost more than they bring, for all."""
    gains = {}
    for name in table.NAMES:
        data = measured(rows, name, labs_per_type=2)
        gains[name] = leave_out.leave_one_lab_out(data).gain("type_and_metadata", "type_only", 0)
        assert leave_out.permuted_gains(data, 10, 0).mean() < 0, name
    for name, (gain, interval) in gains.items():
        assert (interval.low > 0.2) == (name in ("input_resistance", "spike_threshold")), (name, gain)


def test_the_identity_of_a_lab_helps_only_while_the_lab_is_known(tmp_path, planted, written, measured):
    """With large lab effects a lab's own effect helps its other article and is worth nothing for a new lab."""
    rows = table.select(table.read(written(tmp_path, planted(lab_sd=6.0, junction_mv=0.0)))).rows
    steps = leave_out.ladder(measured(rows, "spike_threshold", labs_per_type=2))
    known, new = (steps[name].gain("type_and_lab", "type_only", 0)[1] for name in ("other article", "other lab"))
    assert known.low > 0.2
    assert new.low < 0.05 and new.high < 0.2


def test_a_folder_of_other_articles_is_predicted_with_the_planted_effects(tmp_path, rows, planted, written):
    """Thresholds of labs that the first folder does not have are predicted better with conditions than without."""
    other = table.select(table.read(written(tmp_path, planted(seed=1, n_labs=15, first_article=1000)))).rows
    found = held_out.score(rows, other, Coding.of(rows))["spike_threshold"]
    assert found.r2("type_and_metadata") > 0.7 > 0.4 > found.r2("type_only")
    assert found.r2("type_and_chosen_terms") == pytest.approx(found.r2("type_and_metadata"), abs=0.1)


def test_the_gate_refuses_labs_that_are_types(confounded, measured):
    """Six types, each in labs of its own: six islands, no pair to compare, lost rank, and a refusal by name."""
    found = gate.examine(confounded, Coding.of(confounded))
    assert found.labs.n_components == 6 and found.labs.comparable_pairs == (0, 15)
    assert found.rank.lost["labs"] >= 6
    assert all(one.same_lab is None and "cannot be contrasted" in one.refusal for one in found.contrasts)
    data = measured(confounded, "input_resistance")
    graph = crossing(np.array(data.type_names)[data.types], np.array(data.lab_names)[data.labs], factor="a", other="b")
    with pytest.raises(UnsupportedError, match="no chain of bs"):
        graph.require_comparable("type 0", "type 1")


def test_a_junction_potential_that_is_the_type_is_not_testable(confounded, tmp_path, planted, written):
    """Where each type has one state of correction there is no shift to estimate, and the claims say so."""
    shift = junction_effect.shifts(confounded, Coding.of(confounded), 0).shift("spike_threshold")
    assert np.isnan(shift.value_mv) and shift.n_types == 0
    folder = written(tmp_path, planted(confounded=True))
    found = find(table.read(folder), None, 0, Console(quiet=True))
    verdicts = {claim.name: claim.verdict for claim in claims(found)}
    assert verdicts["uncorrected_junction_potential_raises_spike_threshold"] == "not_testable"
    assert verdicts["every_two_neuron_types_can_be_compared"] == "not_testable"


def test_an_adjustment_that_saw_the_answer_would_be_caught(rows):
    """The classifier's effects come from training rows: spoiling the values of a left-out row changes no other row."""
    chosen = np.ones(rows.sizes["row"], bool)
    labs = table.texts(rows, "lab")
    honest = classify._recognised(rows, chosen, labs, Coding.of(rows))
    spoiled = rows.copy(deep=True)
    left = labs == labs[0]
    for name in table.NAMES:
        spoiled[name] = ("row", np.where(left, 1e6, spoiled[name].values))
    after = classify._Features(spoiled, Coding.of(rows)).learned_from(~left)["adjusted"]
    before = classify._Features(rows, Coding.of(rows)).learned_from(~left)["adjusted"]
    np.testing.assert_array_equal(after[~left], before[~left])
    assert honest["raw"].mean() > 0.3 and honest["conditions_alone"].mean() < 0.4
