"""Scores and claims for one recorded unit: every model against the held-out spikes, against each other and real."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from twin.errors import InputError
from twin.judge import sums, verdicts
from twin.judge.battery import Battery
from twin.judge.claims import Claim
from twin.judge.evaluation import DISTANCE_METRICS, Evaluation, ScoreRows
from twin.judge.inference import basic_interval, resampling_weights
from twin.judge.model_metrics import copied_spikes, cut, real_figures, summed_metrics
from twin.judge.trains import Prediction, SpikeTrains

CLASSIFIER_WINDOW_S = 0.2
_N_SPLITS = 200
# How far apart the real data and what they are compared with lie.
_SEPARATION = {"block": "same stretch of one recording", "trial": "same trials of one recording"}


def evaluate(
    real: SpikeTrains,
    generated: Mapping[str, Prediction],
    *,
    unit: str,
    start_s: float,
    stop_s: float,
    c2st_margin: float,
    subject: str = "twin",
    block_s: float = 1.0,
    bin_s: float = 0.001,
    split: str = "test",
    condition: str = "held_out",
    families: Sequence[str] = ("logistic", "random_forest", "knn"),
    n_permutations: int = 200,
    forest_permutations: int = 0,
    n_resamples: int = 2000,
    seed: int = 0,
) -> Evaluation:
    """Scores each model on one recorded unit and decides what the recording can decide about `subject`.

    Scored are bits per spike over the mean rate, single-trial correlation at 5 ms, coincidence factor at 2 ms (by
    formula and by shuffled chance), distances of interval and count distributions (50 ms), classifier accuracies
    (200 ms windows) and rates. The model "ceiling" is real against real: random halves for the distances, neighbouring
    units for the classifiers, and with repeats other trials for correlation and coincidence; bits per spike have none.
    The models "defect_..." are real trains with a planted defect.

    Args:
        real: the recorded spikes; several trials are repeats of one stimulus.
        generated: a prediction for each model: the subject and its baselines, over at least [start_s, stop_s).
        unit: "block" (stretches of this recording, all there is with one trial) or "trial".
        start_s: scored from here, seconds.
        stop_s: to here, seconds.
        c2st_margin: how far above 1/2 a classifier's accuracy may lie and the model still be called indistinguishable.
        subject: the model that the claims are about; all others are its baselines.
        block_s: length of a block, seconds; a whole number of 200 ms windows.
        bin_s: width of a bin of `rate_hz`, seconds; 5 ms is a whole number of them.
        split: word of the report.
        condition: word of the report.
        families: classifier families.
        n_permutations: of logistic and nearest-neighbour tests.
        forest_permutations: of the forest, slow; 0 leaves it without p-value.
        n_resamples: bootstrap samples.
        seed: of everything that is drawn.

    Raises:
        InputError: unit not block or trial, widths that do not fit, a missing subject, a rate that is not above zero.
    """
    real = real.between(start_s, stop_s)
    layout = sums.Layout(start_s, stop_s, block_s, bin_s, unit, len(real.trials))
    if subject not in generated:
        raise InputError(f"The subject {subject!r} is not among the predictions {sorted(generated)}; name one of them.")
    models = {name: cut(prediction, layout, name) for name, prediction in generated.items()}
    battery = Battery(layout, CLASSIFIER_WINDOW_S, tuple(families), n_permutations, forest_permutations, seed)
    weights = resampling_weights(layout.n_units, n_resamples, seed)

    summed = {name: summed_metrics(real, model, layout, seed) for name, model in models.items()}
    margins = {m: sums.real_against_real(summed[subject][m], n_splits=_N_SPLITS, seed=seed) for m in DISTANCE_METRICS}
    tests = {name: battery.compare(real, model.trials) for name, model in models.items()}
    ceiling, defects = battery.ceiling(real), battery.defects(real)
    copied = {name: copied_spikes(real, model.trials) for name, model in models.items()}

    samples = {
        (metric, name): terms.replicates(weights)
        for name, metrics in summed.items()
        for metric, terms in metrics.items()
    }
    rows = ScoreRows(split, condition, unit, layout.n_units)
    scores = [rows.resampled(m, name, summed[name][m].value(), values) for (m, name), values in samples.items()]
    scores += [rows.resampled(*row) for row in real_figures(real, layout, weights, seed)]
    scores += [rows.plain("copied_spikes", name, share) for name, share in copied.items()]
    scores += [rows.plain(metric, "ceiling", margin) for metric, margin in margins.items()]
    planted_rows = replace(rows, condition="planted_defect")
    for made, found_by in ((rows, {**tests, "ceiling": ceiling}), (planted_rows, defects)):
        scores += [made.test(name, test) for name, by_family in found_by.items() for test in by_family.values()]

    found = Evaluation((), tuple(scores), samples, layout.n_units, unit)
    claims = [
        *_marginal_claims(found, subject, margins),
        *_beats_claims(found, subject, [name for name in generated if name != subject]),
    ]
    for family in battery.families:
        planted = {name: by_family[family] for name, by_family in defects.items()}
        claims += [
            verdicts.sensitivity_claim(family, planted, unit=unit, separation=_SEPARATION[unit]),
            verdicts.indistinguishable_claim(
                f"{subject}_indistinguishable_{family}",
                tests[subject][family],
                margin=c2st_margin,
                separation=_SEPARATION[unit],
                ceiling=ceiling[family],
                defects=planted,
                copied=copied[subject],
            ),
        ]
    return replace(found, claims=tuple(claims + _undecidable(subject, len(real.trials))))


def _marginal_claims(found: Evaluation, subject: str, margins: Mapping[str, float]) -> list[Claim]:
    names = {"interval_ks": "interval_distribution", "count_tv": "count_distribution"}
    claims = []
    for metric, name in names.items():
        score = found.score(metric, subject)
        interval = basic_interval(score.value, found.samples[metric, subject], found.n_units, unit=found.unit)
        separation = f"random halves of the {found.unit}s of one recording"
        claims.append(
            verdicts.marginal_claim(
                f"{subject}_{name}", score.value, interval, margin=margins[metric], separation=separation
            )
        )
    return claims


def _beats_claims(found: Evaluation, subject: str, baselines: Sequence[str]) -> list[Claim]:
    return [
        verdicts.beats_claim(
            f"{subject}_beats_{baseline}_{metric}",
            *found.difference(metric, subject, baseline),
            separation=_SEPARATION[found.unit],
        )
        for metric in ("bits_per_spike", "coincidence_factor")
        for baseline in baselines
    ]


def _undecidable(subject: str, n_trials: int) -> list[Claim]:
    """What one recording of one cell leaves open, said aloud."""
    claims = [
        verdicts.not_testable_claim(
            "L3",
            f"{subject}_transfers_to_another_{what}",
            unit=unit,
            separation=what,
            reason="one recording of one cell",
        )
        for what, unit in (("cell", "session"), ("animal", "animal"), ("lab", "lab"))
    ]
    if n_trials == 1:
        reason = "one trial: the noise ceiling of prediction metrics needs repeats of the same stimulus"
        claims.append(
            verdicts.not_testable_claim(
                "L1", f"{subject}_reaches_prediction_ceiling", unit="trial", separation="trial", reason=reason
            )
        )
    return claims
