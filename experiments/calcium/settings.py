"""The numbers that decide how long the experiment takes and how sharp its answers are."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Settings:
    """Sizes of the experiment.

    Attributes:
        fit_steps: Levenberg-Marquardt steps of a cell's own kinetics.
        ridge: of the regression of kinetics on what the protocol says, in cells.
        rises_s, decays_s: kernels of two exponentials among which the simple models choose.
        basis_s: decays of the exponentials whose weighted sum is the free linear kernel.
        noise_frames: of a cell's first half, at most, from which drift and noise are fitted.
        noise_steps: of Adam, for these.
        horizon_s: how far ahead is predicted from past fluorescence, besides the next frame.
        resamples: of the bootstrap.
    """

    fit_steps: int = 8
    ridge: float = 3.0
    rises_s: tuple[float, ...] = (0.01, 0.04, 0.1)
    decays_s: tuple[float, ...] = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
    basis_s: tuple[float, ...] = (0.1, 0.3, 0.7, 1.5, 4.0)
    noise_frames: int = 4096
    noise_steps: int = 120
    horizon_s: float = 1.0
    resamples: int = 2000


QUICK = Settings(
    fit_steps=3,
    rises_s=(0.02,),
    decays_s=(0.5, 1.5),
    basis_s=(0.3, 1.0),
    noise_frames=512,
    noise_steps=20,
    resamples=200,
)
