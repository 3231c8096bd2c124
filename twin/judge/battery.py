"""The classifier battery on one recorded unit: model against real, real against real, planted defect against real."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from twin.judge.defects import PLANTED
from twin.judge.sums import Layout
from twin.judge.trains import SpikeTrains, whole_multiple
from twin.judge.two_sample import ClassifierTest, classifier_two_sample
from twin.judge.window_features import window_features


@dataclass(frozen=True)
class Battery:
    """Windows, classifier families and permutations that every comparison shares.

    Attributes:
        layout: the scored stretch; its unit groups the windows.
        window_s: width of a window, seconds.
        families: classifier families, each tested on its own.
        n_permutations: for logistic and nearest neighbours, which are refitted cheaply.
        forest_permutations: for the forest, which is not.
        seed: of folds, permutations, forests and defects.
    """

    layout: Layout
    window_s: float
    families: tuple[str, ...]
    n_permutations: int
    forest_permutations: int
    seed: int

    def __post_init__(self) -> None:
        whole_multiple(self.layout.block_s, self.window_s, length="block_s", part="classifier windows")

    def compare(self, real: SpikeTrains, generated: SpikeTrains) -> dict[str, ClassifierTest]:
        """Each family's test of generated windows; real trial i meets generated trial i, counted round."""
        n = len(generated.trials)
        paired = SpikeTrains(tuple(generated.trials[i % n] for i in range(len(real.trials))), real.start_s, real.stop_s)
        return self._tests(self._rows(real), self._rows(paired))

    def ceiling(self, real: SpikeTrains) -> dict[str, ClassifierTest]:
        """Each family's test of real against real: every second unit against the unit before it."""
        rows = self._rows(real)
        if self.layout.unit == "block":
            n = 2 * (self.layout.n_blocks // 2)
            return self._tests(rows[:, 0:n:2], rows[:, 1:n:2])
        n = 2 * (len(rows) // 2)
        return self._tests(rows[0:n:2], rows[1:n:2])

    def defects(self, real: SpikeTrains) -> dict[str, dict[str, ClassifierTest]]:
        """Each family's test of each planted defect, by the name of the defect."""
        return {name: self.compare(real, plant(real, self.seed)) for name, plant in PLANTED.items()}

    def _rows(self, trains: SpikeTrains) -> Float[np.ndarray, "trial block window feature"]:
        start_s, stop_s = self.layout.start_s, self.layout.stop_s
        rows = np.array([window_features(trial, start_s, stop_s, self.window_s) for trial in trains.trials])
        return rows.reshape(len(rows), self.layout.n_blocks, -1, rows.shape[-1])

    def _tests(self, real: np.ndarray, generated: np.ndarray) -> dict[str, ClassifierTest]:
        """Both are (trial, block, window, feature); a window belongs to the unit that it lies in."""
        trial, block, _ = np.indices(real.shape[:3])
        groups = (block if self.layout.unit == "block" else trial).reshape(-1)
        return {
            family: classifier_two_sample(
                real.reshape(groups.size, real.shape[-1]),
                generated.reshape(groups.size, real.shape[-1]),
                groups,
                unit=self.layout.unit,
                family=family,
                n_permutations=self.forest_permutations if family == "random_forest" else self.n_permutations,
                seed=self.seed,
            )
            for family in self.families
        }


def caught(test: ClassifierTest, *, alpha: float = 0.05) -> bool:
    """Whether the test told the two apart: by its permutation p, or by its descriptive bound where it has none."""
    if not test.testable:
        return False
    return test.p <= alpha if test.p is not None else test.low > 0.5
