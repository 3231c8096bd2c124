"""The numbers that decide how long the experiment takes and how sharp its answers are."""

import dataclasses

from experiments.v1_transfer.ridge import Search


@dataclasses.dataclass(frozen=True)
class Settings:
    """Sizes of the experiment. All were chosen by cross-validation within training trials.

    Attributes:
        test_trials: of each direction; the last ones of the permutation.
        quarter_trials: of each direction in the quarter of the data; the first ones of the permutation.
        search: how the penalties of readouts are chosen.
        own_lags: windows of a neuron's own past.
        seeds: networks whose cores are read together.
        width: features of a core.
        pretraining_steps: of the network, on the other mice.
        adapting_steps: of readouts by gradient on the left-out mouse, and of the network from scratch.
        batch: trials of a step.
        resamples: of every interval.
    """

    test_trials: int = 3
    quarter_trials: int = 3
    search: Search = Search()
    own_lags: int = 12
    seeds: int = 1
    width: int = 32
    pretraining_steps: int = 400
    adapting_steps: int = 200
    batch: int = 16
    resamples: int = 2000


QUICK = Settings(
    search=Search(4, 0, 3, 2), own_lags=3, width=8, pretraining_steps=20, adapting_steps=20, batch=8, resamples=200
)
