"""Everything that decides what a surrogate is and how it is trained, as plain values."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class SurrogateConfig:
    """Architecture and training of a stimulus-driven point-process surrogate.

    Attributes:
        window_s: length of one step, s; counts and stimulus are binned to it.
        stimulus_memory_s: how far back the encoder sees, s.
        n_filters: temporal basis functions of the encoder.
        n_hidden: hidden units of the encoder.
        fast_tau_s: time constants of the spike-history traces that stand for refractoriness and bursting, s.
        slow_tau_s: time constants of the traces that stand for adaptation, s.
        stimulus_noise: the encoder's learned path is made insensitive to white noise on the stimulus of this standard
            deviation, relative to the stimulus's own. What the training stimulus does not contain, such as faster
            modulation, then moves the code little, instead of by whatever the fit left there.
        learning_rate: peak rate of the optimiser.
        weight_decay: decoupled weight decay.
        n_steps: gradient steps at the most.
        check_every: steps between two looks at the validation part.
        patience: looks without improvement after which training stops.
    """

    window_s: float = 0.0005
    stimulus_memory_s: float = 0.05
    n_filters: int = 14
    n_hidden: int = 16
    fast_tau_s: tuple[float, ...] = (0.0007, 0.0014, 0.0028, 0.0056, 0.011, 0.022, 0.045, 0.09)
    slow_tau_s: tuple[float, ...] = (0.5, 2.0, 8.0)
    stimulus_noise: float = 0.8
    learning_rate: float = 0.01
    weight_decay: float = 1e-3
    n_steps: int = 2000
    check_every: int = 50
    patience: int = 6

    @property
    def n_lags(self) -> int:
        """Windows that the encoder sees, the present one included."""
        return round(self.stimulus_memory_s / self.window_s)
