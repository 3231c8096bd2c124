"""The judge: statistics, metrics, inference and the claims that they allow."""

from twin.judge.claims import LEVELS, METRICS, SPLITS, VERDICTS, Claim, Score
from twin.judge.coincidence import Coincidence, coincidence_factor, match_spikes, shuffled_chance
from twin.judge.equivalence import Equivalence, accuracy_equivalence, c2st_equivalence, equivalence_power
from twin.judge.evaluate import evaluate
from twin.judge.evaluation import Evaluation
from twin.judge.inference import (
    UNITS,
    Interval,
    basic_interval,
    bootstrap,
    clopper_pearson,
    clopper_pearson_lower,
    clopper_pearson_upper,
    holm,
    percentile_interval,
    permutation_p,
    require_unit,
    resampling_weights,
)
from twin.judge.metrics import (
    bits_per_spike,
    count_total_variation,
    interval_ks,
    interval_wasserstein_ms,
    ks_distance,
    pearson,
    wasserstein_distance,
)
from twin.judge.repeats import cc_max, cc_norm, feve, signal_power
from twin.judge.trains import Prediction, SpikeTrains
from twin.judge.two_sample import ClassifierTest, c2st_sample_size, classifier_two_sample
from twin.judge.window_features import FEATURES, window_features

__all__ = [
    "FEATURES",
    "LEVELS",
    "METRICS",
    "SPLITS",
    "UNITS",
    "VERDICTS",
    "Claim",
    "ClassifierTest",
    "Coincidence",
    "Equivalence",
    "Evaluation",
    "Interval",
    "Prediction",
    "Score",
    "SpikeTrains",
    "accuracy_equivalence",
    "basic_interval",
    "bits_per_spike",
    "bootstrap",
    "c2st_equivalence",
    "c2st_sample_size",
    "cc_max",
    "cc_norm",
    "classifier_two_sample",
    "clopper_pearson",
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "coincidence_factor",
    "count_total_variation",
    "equivalence_power",
    "evaluate",
    "feve",
    "holm",
    "interval_ks",
    "interval_wasserstein_ms",
    "ks_distance",
    "match_spikes",
    "pearson",
    "percentile_interval",
    "permutation_p",
    "require_unit",
    "resampling_weights",
    "shuffled_chance",
    "signal_power",
    "wasserstein_distance",
    "window_features",
]
