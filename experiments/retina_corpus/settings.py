"""The numbers that decide what is scored, how long the experiment takes and how sharp its answers are."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Settings:
    """Sizes of the experiment. What is scored is that of the published baselines; the rest was chosen on validation.

    Attributes:
        window_s: one bin.
        most_s: of a recording, from its first spike.
        least_s: below which a recording is not scored.
        fitted_share: of the used stretch, to adapt and fit on; the rest is scored.
        chosen_share: of the fitted part, its end, on which the strength of the adaptation is chosen.
        fewest_train: spikes that a unit needs in the fitted part.
        fewest_test: spikes that it needs in the scored part.
        fewest_units: below which a recording is not scored.
        most_units: of a recording.
        per_study: recordings of a study that are scored when it is left out.
        most_pretraining: recordings of a study that pretrain, drawn at random, so that no study weighs too much.
        together: studies that are left out at a time.
        steps: of one pretraining.
        batch: items of a step.
        length: windows of an item.
        units: units of an item.
        width: hidden features of the decoder.
        taus: time constants of the traces, windows.
        ridges: of the adaptation; infinity leaves the pretrained model as it is.
        calibration_ridge: the largest one on a unit's level and gain of the network's prediction.
        trees: of the forest that names the study.
    """

    window_s: float = 0.05
    most_s: float = 1200.0
    least_s: float = 240.0
    fitted_share: float = 0.8
    chosen_share: float = 0.2
    fewest_train: int = 60
    fewest_test: int = 5
    fewest_units: int = 8
    most_units: int = 60
    per_study: int = 4
    most_pretraining: int = 12
    together: int = 2
    steps: int = 400
    batch: int = 24
    length: int = 32
    units: int = 32
    width: int = 48
    taus: tuple[float, ...] = (0.4, 1.5, 4.0, 12.0, 40.0, 120.0, 400.0, 1200.0, 3600.0)
    ridges: tuple[float, ...] = (float("inf"), 3000.0, 300.0, 100.0, 30.0)
    calibration_ridge: float = 10.0
    trees: int = 200


QUICK = Settings(
    least_s=20.0, fewest_train=20, fewest_test=2, fewest_units=4, per_study=1, most_pretraining=2, steps=20, batch=4,
    length=16, units=8, width=8, taus=(1.5, 12.0, 120.0), ridges=(float("inf"), 100.0), trees=10,
)  # fmt: skip
