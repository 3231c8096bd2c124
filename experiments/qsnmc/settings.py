"""The numbers that decide how long the experiment takes and how sharp its answers are."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Settings:
    """Sizes of the experiment.

    Attributes:
        dt_s: step of the models; the recording has 1 ms.
        fitted_s: of each stimulus that is fitted; its later time serves no fit, only scores.
        models: that are fitted to spike times.
        restarts: of each of them.
        population: parameter sets of a restart in a generation.
        simulations: of all restarts of a model together, for each stimulus that is left out.
        rate_weight: what spikes at twice the recorded rate cost, where 1 is all coincidences.
        escape_population: parameter sets of the escape-noise model in a generation.
        escape_simulations: of it together, for each stimulus that is left out.
        escape_repeats: of each stimulus that are forced on it.
        trials: free trials of the escape-noise model.
    """

    dt_s: float = 0.0005
    fitted_s: float = 17.0
    models: tuple[str, ...] = ("lif_adaptive", "lif_coupled")
    restarts: int = 10
    population: int = 20
    simulations: int = 12_000
    rate_weight: float = 0.2
    escape_population: int = 32
    escape_simulations: int = 4000
    escape_repeats: int = 2
    trials: int = 32


QUICK = Settings(
    models=("lif_coupled",),
    restarts=5,
    population=8,
    simulations=120,
    escape_population=8,
    escape_simulations=40,
    trials=8,
)
