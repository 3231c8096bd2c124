"""NeuroElectro on the real table: the published figures."""

import numpy as np
import pytest

from experiments.neuroelectro import classify, gate, junction_effect, leave_out, stepwise, table
from experiments.neuroelectro.additive import fit
from experiments.neuroelectro.coding import METADATA, OFFERED, Coding
from twin.judge.identifiability import crossing


@pytest.fixture(scope="module")
def real(recordings):
    folder = recordings / "neuroelectro"
    if not folder.is_dir():
        pytest.skip("no NeuroElectro table among the outside recordings")
    return table.select(table.read(folder)).rows


def test_real_selection_and_islands(real):
    """340 rows, 80 types, 206 labs; 26 islands of which the largest holds 77 %; overlap as published."""
    graph = crossing(table.texts(real, "neuron_type"), table.texts(real, "lab"), factor="neuron type", other="lab")
    assert (real.sizes["row"], len(graph.levels), len(graph.other_levels)) == (340, 80, 206)
    assert graph.n_components == 26 and graph.largest_share == pytest.approx(0.77, abs=0.005)
    assert (len(graph.seen_with_one), len(graph.others_seen_with_one)) == (27, 145)
    found = gate.examine(real, Coding.of(real))
    assert [len(found.factors[one].seen_with_one) for one in ("electrode", "preparation")] == [55, 64]
    assert found.contrasts[-1].refusal and found.contrasts[0].same_lab is not None


@pytest.mark.parametrize(
    ("name", "type_only", "with_terms", "terms"),
    [
        ("input_resistance", 0.518, 0.728, {"electrode", "temperature", "log_age"}),
        ("time_constant", 0.13, 0.395, {"electrode", "preparation", "log_age"}),
        ("spike_amplitude", 0.316, 0.453, {"preparation"}),
        ("spike_half_width", 0.389, 0.522, {"temperature", "log_age", "electrode"}),
        ("spike_threshold", 0.105, 0.422, {"electrode", "junction_potential"}),
        ("resting_potential", 0.611, 0.611, set()),
    ],
)
def test_real_stepwise_models(real, name, type_only, with_terms, terms, measured):
    """Adjusted R2 of the type alone and of the stepwise model, and its terms, for each property."""
    data = measured(real, name)
    chosen = stepwise.stepwise(data)
    assert fit(data, data.conditions(())).adjusted_r2 == pytest.approx(type_only, abs=0.003)
    assert chosen.model.adjusted_r2 == pytest.approx(with_terms, abs=0.003) and set(chosen.terms) == terms


def test_real_thresholds_pruned_from_all_terms_keep_more(real, measured):
    """From all terms BIC keeps preparation, temperature and its square too, at a BIC that is lower by less than 2."""
    data = measured(real, "spike_threshold")
    grown, pruned = stepwise.stepwise(data), stepwise.stepwise(data, start=OFFERED, squares=True)
    assert set(pruned.terms) == {"electrode", "junction_potential", "preparation", "temperature", "temperature_squared"}
    assert 0 < grown.model.bic - pruned.model.bic < 2 and pruned.model.adjusted_r2 == pytest.approx(0.463, abs=0.003)


def test_real_junction_potential(real):
    """Not corrected less corrected: +8.0 mV (p = .0003) in thresholds and +3.5 mV (p = .023) at rest."""
    found = junction_effect.shifts(real, Coding.of(real), 0)
    threshold, rest = (found.shift(name) for name in ("spike_threshold", "resting_potential"))
    assert threshold.value_mv == pytest.approx(8.0, abs=0.1) and threshold.p == pytest.approx(0.0003, abs=0.0001)
    assert rest.value_mv == pytest.approx(3.5, abs=0.1) and rest.p == pytest.approx(0.023, abs=0.001)
    assert found.shift("spike_threshold", "Not reported").value_mv == pytest.approx(3.4, abs=0.1)
    assert found.shift("resting_potential", "Not reported").value_mv == pytest.approx(1.8, abs=0.1)
    assert 1 < threshold.interval.low < 3 and 11 < threshold.interval.high < 14
    assert -0.5 < rest.interval.low < 0.8 and 6.5 < rest.interval.high < 7.8


@pytest.mark.parametrize(
    ("name", "type_only", "with_metadata", "ridge"),
    [
        ("input_resistance", 0.334, 0.622, 0.62),
        ("resting_potential", 0.441, 0.430, 0.44),
        ("spike_amplitude", 0.068, 0.200, 0.18),
        ("spike_half_width", -0.044, 0.082, 0.11),
        ("spike_threshold", -0.258, 0.138, 0.13),
    ],
)
def test_real_labs_left_out(real, name, type_only, with_metadata, ridge, measured):
    """R2 of labs that were left out, by type, with conditions, and with shrunk conditions; nothing if permuted."""
    data = measured(real, name, labs_per_type=2)
    found = leave_out.leave_one_lab_out(data)
    assert found.r2("type_only") == pytest.approx(type_only, abs=0.005)
    assert found.r2("type_and_metadata") == pytest.approx(with_metadata, abs=0.01)
    assert found.r2("type_and_metadata_ridge") == pytest.approx(ridge, abs=0.025)
    assert leave_out.permuted_gains(data, 4, 0).mean() < 0


def test_real_time_constants_collapse_only_with_an_undetermined_level(real, measured):
    """Type -.117 as published. An effect that the training labs do not determine is 0 here, which gives .16; coded
    against guinea pigs, which come from one lab, that lab's absence shifts everyone and R2 falls below -.4.
    """
    data = measured(real, "time_constant", labs_per_type=2)
    found = leave_out.leave_one_lab_out(data)
    assert found.r2("type_only") == pytest.approx(-0.117, abs=0.005)
    assert found.r2("type_and_metadata") == pytest.approx(0.158, abs=0.01)
    species = table.texts(data.rows, "species")
    assert len(set(data.labs[species == "Guinea Pigs"])) == 1
    others = data.conditions(tuple(term for term in METADATA if term != "species"))
    against_guinea_pigs = np.stack([species == "Rats", species == "Mice"], axis=1).astype(float)
    predicted = np.full(len(data.values), np.nan)
    for lab in range(len(data.lab_names)):
        left = data.labs == lab
        design = np.hstack([data.membership, against_guinea_pigs, others])
        predicted[left] = design[left] @ np.linalg.lstsq(design[~left], data.values[~left], rcond=1e-9)[0]
    error = ((data.values - predicted) ** 2).sum() / ((data.values - found.baseline) ** 2).sum()
    assert 1 - error < -0.4


def test_real_classification_is_a_negative(real):
    """8 and 17 types: nearest centroids near .5 and .4, and no gain from adjusting whose interval is above 0."""
    found = classify.classify(real, Coding.of(real))
    assert [(one.n_types, one.n) for one in found] == [(8, 80), (8, 80), (17, 124), (17, 124)]
    for one, accuracy in zip(found, (0.525, 0.525, 0.419, 0.419), strict=True):
        assert one.accuracy("raw", 0)[0] == pytest.approx(accuracy, abs=0.04)
        assert all(one.gain(model, 0)[1].low < 0 for model in ("adjusted", "adjusted_ridge"))
        assert one.accuracy("conditions_alone", 0)[0] < one.largest_share
