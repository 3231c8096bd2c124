"""The numbers that decide how long the demo takes and how sharp its answers are."""

import dataclasses

from surrogate.single import SurrogateConfig


@dataclasses.dataclass(frozen=True)
class Settings:
    """Sizes of the demo.

    Attributes:
        validation_s: end of recording 1 that is not fitted but chosen on, s.
        fitted_s: length of the training part that calibrations use, s; the surrogate uses all of it.
        window_s: coupling window, s.
        dt_s: time step of the cell, s.
        population: parameter sets that are simulated side by side.
        circuit_generations: of the calibration of the cell alone.
        twin_generations: of the calibration of cell and coupling together.
        fit_trials: simulated trials for each parameter set.
        judged_s: how much of recording 2 is judged, s.
        trials: trials of each model that are judged.
        rate_trials: further trials that only serve to estimate a model's expected rate.
        perturbed_trials: trials for each intervention.
        perturbed_s: how much of the held-out stimulus they hear, s.
        referee_s: how much of recording 1 Brian2 runs again with the calibrated cell, s.
        surrogate: architecture and training.
    """

    validation_s: float = 2.0
    fitted_s: float = 8.0
    window_s: float = 0.0005
    dt_s: float = 5e-5
    population: int = 24
    circuit_generations: int = 32
    twin_generations: int = 40
    fit_trials: int = 4
    judged_s: float = 10.0
    trials: int = 20
    rate_trials: int = 100
    perturbed_trials: int = 10
    perturbed_s: float = 5.0
    referee_s: float = 2.0
    surrogate: SurrogateConfig = SurrogateConfig()


QUICK = Settings(
    fitted_s=1.0,
    population=6,
    circuit_generations=2,
    twin_generations=2,
    fit_trials=1,
    judged_s=3.0,
    trials=3,
    rate_trials=4,
    perturbed_trials=2,
    perturbed_s=0.5,
    referee_s=0.2,
    surrogate=SurrogateConfig(n_steps=50, check_every=25),
)
