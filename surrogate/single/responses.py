"""From a recording to the arrays that a surrogate is trained on."""

import dataclasses

import numpy as np
import xarray as xr
from jaxtyping import Float

from surrogate.single.config import SurrogateConfig
from twin import recording
from twin.coupling import to_windows
from twin.errors import InputError
from twin.ports import Port


@dataclasses.dataclass(frozen=True)
class Responses:
    """One unit's response in windows.

    Attributes:
        past: the stimulus of each window and of those before it, the latest last; before the start of the recording
            the first value is held.
        counts: spikes in each window.
    """

    past: Float[np.ndarray, "time lag"]
    counts: Float[np.ndarray, " time"]

    def between(self, start: int, stop: int) -> "Responses":
        """Windows [start, stop)."""
        return Responses(self.past[start:stop], self.counts[start:stop])


def responses(tree: xr.DataTree, stream: Port, config: SurrogateConfig) -> Responses:
    """Stimulus and response of a recording of one unit and one trial, in windows of `config.window_s`.

    Raises:
        InputError: more than one trial or unit, or a stimulus that does not fit the windows.
    """
    trains = recording.spike_times(tree)
    if len(trains) != 1 or tree["spikes"].sizes["unit"] != 1:
        raise InputError(f"{tree.attrs['name']}: this surrogate is trained on one trial of one unit.")
    stimulus = recording.stimulus_of(tree, stream.name)
    windows = to_windows(stimulus, config.window_s, stream)[:, 0]
    edges = stimulus.start_s + config.window_s * np.arange(len(windows) + 1)
    counts = np.histogram(trains[0], edges)[0].astype(np.float32)
    return Responses(past_of(windows, config.n_lags), counts)


def latency_windows(data: Responses) -> int:
    """Windows from a stimulus to the spike that it evokes: where the mean stimulus before a spike peaks."""
    average = data.counts @ (data.past - data.past.mean()) / data.counts.sum()
    return int(len(average) - 1 - np.argmax(average))


def past_of(windows: Float[np.ndarray, " time"], n_lags: int) -> Float[np.ndarray, "time lag"]:
    """For each window the last `n_lags` values, the present one last; the first value is held before the start."""
    held = np.concatenate([np.full(n_lags - 1, windows[0], windows.dtype), windows])
    return np.lib.stride_tricks.sliding_window_view(held, n_lags)
