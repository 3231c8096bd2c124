"""Every resampled metric of one model, and of the real recording against itself."""

import numpy as np

from twin.errors import InputError
from twin.judge import sums
from twin.judge.coincidence import match_spikes
from twin.judge.metrics import check_positive_rate
from twin.judge.trains import Prediction, SpikeTrains, whole_multiple

CORRELATION_BIN_S = 0.005
COINCIDENCE_WINDOW_S = 0.002
COUNT_WINDOW_S = 0.05
# A generated spike this near to a real one was copied from it: no model is so sharp.
COPY_WINDOW_S = 1e-5
_N_SHUFFLES = 5


def copied_spikes(real: SpikeTrains, generated: SpikeTrains) -> float:
    """Largest share of a real trial's spikes that one generated trial meets to 10 microseconds, one to one.

    Range [0, 1]: 1 for a copy, about rate times 20 microseconds by chance; trains that were both read off one coarse
    clock meet as often as they share a tick. NaN where no real trial has a spike.
    """
    shares = [
        match_spikes(train, other, COPY_WINDOW_S).size / train.size
        for train in real.trials
        if train.size
        for other in generated.trials
    ]
    return max(shares, default=float("nan"))


def cut(prediction: Prediction, layout: sums.Layout, name: str) -> Prediction:
    """The prediction over the scored stretch only."""
    trains, rate = prediction.trials, prediction.rate_hz
    n_bins = whole_multiple(trains.duration_s, layout.bin_s, length=f"the stretch of {name}", part="bins (bin_s)")
    if rate.shape != (n_bins,):
        raise InputError(
            f"The rate of {name} has shape {rate.shape}, but its trains last {trains.duration_s:g} s, {n_bins} bins of "
            f"{layout.bin_s:g} s; give one rate for each bin."
        )
    inside = trains.between(layout.start_s, layout.stop_s)
    before = (layout.start_s - trains.start_s) / layout.bin_s
    first = round(before)
    if abs(before - first) > 1e-3:
        raise InputError(
            f"The scored stretch opens at {layout.start_s:g} s, inside a bin of {name}'s rate, which starts at "
            f"{trains.start_s:g} s in bins of {layout.bin_s:g} s; move start_s to an edge."
        )
    rate = rate[first : first + round((layout.stop_s - layout.start_s) / layout.bin_s)].astype(np.float64)
    check_positive_rate(rate, f"rate_hz of {name}")
    return Prediction(inside, rate)


def summed_metrics(
    real: SpikeTrains, model: Prediction, layout: sums.Layout, seed: int
) -> dict[str, sums.SummedMetric]:
    """Every resampled metric of one model."""
    rate = (model.rate_hz * layout.bin_s).reshape(layout.n_blocks, -1)
    bins = whole_multiple(CORRELATION_BIN_S, layout.bin_s, length="the correlation bin", part="bins (bin_s)")
    whole_multiple(layout.block_s, CORRELATION_BIN_S, length="block_s", part="correlation bins")
    coarse = rate.reshape(layout.n_blocks, -1, bins).sum(axis=-1)
    gamma, gamma_shuffled = _coincidence(real, model.trials, layout, seed)
    ks, wasserstein = sums.interval_sums(real, model.trials, layout)
    return {
        "bits_per_spike": sums.bits_per_spike_sums(layout.counts(real, layout.bin_s), rate, layout),
        "single_trial_correlation": sums.correlation_sums(layout.counts(real, CORRELATION_BIN_S), coarse, layout),
        "coincidence_factor": gamma,
        "coincidence_factor_shuffled": gamma_shuffled,
        "interval_ks": ks,
        "interval_wasserstein_ms": wasserstein,
        "count_tv": sums.count_sums(real, model.trials, layout, window_s=COUNT_WINDOW_S),
        "rate_hz": sums.rate_sums(model.trials, layout, is_real=False),
    }


def _coincidence(
    real: SpikeTrains, generated: SpikeTrains, layout: sums.Layout, seed: int
) -> tuple[sums.SummedMetric, sums.SummedMetric]:
    return sums.coincidence_sums(
        real, generated, layout, window_s=COINCIDENCE_WINDOW_S, n_shuffles=_N_SHUFFLES, seed=seed
    )


def real_figures(
    real: SpikeTrains, layout: sums.Layout, weights: np.ndarray, seed: int
) -> list[tuple[str, str, float, np.ndarray]]:
    """The real rate, and with repeats of the stimulus the ceilings of prediction: (metric, model, value, samples)."""
    rate = sums.rate_sums(real, layout, is_real=True)
    found = [("rate_hz", "real", rate.value(), rate.replicates(weights))]
    if len(real.trials) > 1:
        best = sums.best_correlation_sums(layout.counts(real, CORRELATION_BIN_S), layout)
        samples = best.replicates(weights) if layout.unit == "block" else np.array([np.nan])
        found.append(("single_trial_correlation", "ceiling", best.value(), samples))
        gamma, shuffled = _coincidence(real, real, layout, seed)
        found.append(("coincidence_factor", "ceiling", gamma.value(), gamma.replicates(weights)))
        found.append(("coincidence_factor_shuffled", "ceiling", shuffled.value(), shuffled.replicates(weights)))
    return found
