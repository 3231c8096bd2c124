"""The numbers that decide how long the experiment takes and how sharp its answers are."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Settings:
    """Sizes of the experiment. All were chosen on the fitted stretch.

    Attributes:
        fitted_share: of the recording, without a test folder; the rest is scored.
        validation_share: of the fitted stretch, its end, on which is chosen; as long as what is scored, because a fifth
            of it has 17 spikes, too few to tell models apart.
        models: that are fitted to spike times; all but the plain `lif` vote.
        restarts: of each of them.
        population: parameter sets of a restart in a generation.
        simulations: of all restarts of a model together.
        refractory_ms: refractory periods of the escape-noise model among which is chosen.
        escape_simulations: for each of them.
        final_simulations: of the last fit of the escape-noise model, from the chosen one.
        trace_weight: bits per spike that a millivolt of voltage error costs in its fit.
        trials: free trials of a model with noise.
        junction_mv: junction potentials that are assumed, to show what they would change.
    """

    fitted_share: float = 2 / 3
    validation_share: float = 0.5
    models: tuple[str, ...] = ("lif", "adex", "lif_adaptive", "lif_coupled")
    restarts: int = 12
    population: int = 24
    simulations: int = 30_000
    refractory_ms: tuple[float, ...] = (4.0, 6.0, 8.0)
    escape_simulations: int = 2400
    final_simulations: int = 3200
    trace_weight: float = 0.3
    trials: int = 100
    junction_mv: tuple[float, ...] = (10.0, 14.0)

    @property
    def voters(self) -> tuple[str, ...]:
        """Models whose restarts vote."""
        return tuple(name for name in self.models if name != "lif")


QUICK = Settings(
    models=("lif_coupled",),
    restarts=5,
    population=8,
    simulations=200,
    refractory_ms=(4.0,),
    escape_simulations=64,
    final_simulations=64,
    trials=8,
)
