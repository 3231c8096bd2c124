"""The words of a report and what they mean to a reader: claim ladder, verdicts, splits, metrics and models."""

import dataclasses
from typing import Literal

LEVELS = {
    "L0": "Runs and is verified",
    "L1": "Matches the marginal statistics",
    "L2": "Indistinguishable within a stated margin",
    "L3": "Transfers to a new lab or animal",
    "L4": "Predicts unseen interventions better than every trivial baseline",
    "L5": "Mechanism supported",
}
VERDICTS = {"pass": "Pass", "fail": "Fail", "not_testable": "Not testable"}
SPLITS = {"test": "Test", "validation": "Validation", "train": "Train"}

CEILING = "ceiling"


@dataclasses.dataclass(frozen=True)
class MetricNote:
    """What a reader needs to know of a metric.

    Attributes:
        label: its name in a table, such as "Bits per spike".
        text: one or two sentences that say what it measures and what its ends mean.
        better: which values are good: "higher", "lower", "nearest" to `target`, or "neither" when there is no good end.
        unit: unit of its values; "" for a pure number.
        target: the good value where `better` is "nearest".
    """

    label: str
    text: str
    better: Literal["higher", "lower", "nearest", "neither"]
    unit: str = ""
    target: int | float = 0


def _told_apart(label: str, classifier: str) -> MetricNote:
    text = (
        f"How often {classifier} tells a generated from a recorded trial it has not seen. 0.5 is guessing; "
        "clearly less means that the model has seen the reference."
    )
    return MetricNote(label, text, "nearest", target=0.5)


METRICS = {
    "bits_per_spike": MetricNote(
        "Bits per spike",
        "Log-likelihood of the recorded spikes beyond that of a constant rate, per spike. 0 is no better than it.",
        "higher",
    ),
    "co_bits_per_spike": MetricNote(
        "Co-bits per spike",
        "Co-smoothing: bits per spike of units whose own spikes were hidden, predicted from the other units.",
        "higher",
    ),
    "single_trial_correlation": MetricNote(
        "Single-trial correlation",
        "Correlation of the prediction with each single trial. Trial-to-trial noise keeps it below 1 for any model.",
        "higher",
    ),
    "correlation_to_mean": MetricNote(
        "Correlation to mean",
        "Correlation of the prediction with the mean over repeated trials.",
        "higher",
    ),
    "feve": MetricNote(
        "Explainable variance explained",
        "Share of the repeatable part of the response that is explained (FEVE). 1 is all of it; it can be negative.",
        "higher",
    ),
    "coincidence_factor": MetricNote(
        "Coincidence factor",
        "Spikes that coincide within a stated window, corrected for chance. 0 is chance, 1 is every spike.",
        "higher",
    ),
    "coincidence_factor_shuffled": MetricNote(
        "Coincidence factor, shuffled chance",
        "The coincidence factor with its chance level taken from the model's own intervals in random order.",
        "higher",
    ),
    "copied_spikes": MetricNote(
        "Copied spikes",
        "Share of the generated spikes at the very time of a recorded one. Above chance, the model has memorised.",
        "neither",
    ),
    "rmse_mv": MetricNote("Voltage error", "Root-mean-square error of the membrane voltage.", "lower", "mV"),
    "effect_correlation": MetricNote(
        "Effect correlation",
        "Correlation over units of the predicted with the recorded change that an intervention makes.",
        "higher",
    ),
    "sign_accuracy": MetricNote(
        "Sign accuracy",
        "Share of the units with a significant effect whose change has the predicted direction.",
        "higher",
    ),
    "trial_matched_r2": MetricNote(
        "Trial-matched R²",
        "Variance explained after each generated trial is paired with one recorded trial, one to one.",
        "higher",
    ),
    "interval_ks": MetricNote(
        "Interval distance (KS)",
        "Largest gap between the cumulative distributions of interspike intervals. 0 is equal, 1 is apart.",
        "lower",
    ),
    "interval_wasserstein_ms": MetricNote(
        "Interval distance (Wasserstein)",
        "How far intervals have to be moved, on average, to turn one distribution into the other.",
        "lower",
        "ms",
    ),
    "count_tv": MetricNote(
        "Count distance",
        "Total variation between the distributions of spike counts. 0 is equal, 1 is apart.",
        "lower",
    ),
    "c2st_accuracy": _told_apart("Told apart", "the classifier named in the claim"),
    "c2st_accuracy_logistic": _told_apart("Told apart (logistic)", "a logistic classifier"),
    "c2st_accuracy_random_forest": _told_apart("Told apart (forest)", "a random forest"),
    "c2st_accuracy_knn": _told_apart("Told apart (neighbours)", "a nearest-neighbour classifier"),
    "rate_hz": MetricNote("Firing rate", "Spikes per second; to be compared with the recorded rate.", "neither", "Hz"),
}

MODELS = {
    "twin": "surrogate and circuit, coupled in one loop",
    "surrogate": "the learned model alone",
    "circuit": "the biophysical network alone",
    "adapted": "a pretrained model of which only the readout was fitted to this animal",
    "from_scratch": "the same model, trained on this animal only",
    "poisson": "Poisson spikes at a fitted rate",
    "lnp": "linear filter, nonlinearity, Poisson spikes",
    "glm": "generalised linear model with spike history",
    "condition_mean": "the mean response of the condition in the training trials",
    "no_change": "predicts that the intervention changes nothing",
    "other_dose": "predicts the effect that another dose had",
    "other_waveform_mean": "predicts the mean effect of the other waveforms",
    "linear": "a linear regression",
    CEILING: "recording against recording: what a perfect model would reach; never marked as best",
}
