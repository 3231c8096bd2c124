"""neuralpredictors' core and readout on videos, for processes of its own Python: PyTorch and no part of this project.

Measured with neuralpredictors 0.3.0, torch 2.15.0 and torchvision 0.29.2 on Python 3.11, as
`python -m venv PEER; PEER/bin/pip install torch torchvision neuralpredictors` gives them. The package sees frames: a
video is given to it as the last frames stacked as channels, and behaviour as further channels, each one number
everywhere, as in the baseline of Sensorium 2022 (Willeke et al., arXiv 2206.08666), whose readout settings are used.
"""

import collections
import collections.abc
import warnings

import numpy as np
import torch
from torch import nn

warnings.simplefilter("ignore")  # its own deprecations
collections.Iterable = collections.abc.Iterable  # type: ignore[attr-defined]  # its last release asks for that of Python 3.9

from neuralpredictors.layers.cores import Stacked2dCore  # noqa: E402
from neuralpredictors.layers.readouts import FullGaussian2d  # noqa: E402
from neuralpredictors.measures.modules import PoissonLoss  # noqa: E402


class Encoder(nn.Module):
    """A core and one readout for each session.

    Args:
        shape: (channels, height, width) of what the core sees.
        means: for each session, the mean response of its units, which the readout starts from.
        channels: of each layer.
        input_kern: pixels of the filters of the first layer.
        hidden_kern: of the later ones.
        layers: how many.
        batch_norm: after each layer.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        means: dict[str, np.ndarray],
        channels: int,
        input_kern: int,
        hidden_kern: int,
        layers: int,
        batch_norm: bool = True,
    ) -> None:
        super().__init__()
        self.core = Stacked2dCore(
            shape[0], channels, input_kern, hidden_kern, layers=layers, stack=-1, pad_input=True, batch_norm=batch_norm
        )
        self.core.initialize()
        self.map_shape, self.readouts = (channels, *shape[1:]), nn.ModuleDict()
        for name, mean in means.items():
            self.add(name, mean)

    def add(self, name: str, mean: np.ndarray) -> None:
        """A readout for a session."""
        start = torch.as_tensor(mean, dtype=torch.float32)
        self.readouts[name] = FullGaussian2d(
            self.map_shape, len(mean), bias=True, init_mu_range=0.3, init_sigma=0.1, mean_activity=start - 1.0
        )

    def forward(self, stacked: torch.Tensor, name: str) -> torch.Tensor:
        """Expected responses (frame, unit)."""
        return nn.functional.elu(self.readouts[name](self.core(stacked))) + 1.0 + 1e-4


def stacked(video: torch.Tensor, behaviour: torch.Tensor, frames: int) -> torch.Tensor:
    """(frame, channel, height, width) of a piece (time, height, width), without its first `frames` - 1."""
    windows = video.unfold(0, frames, 1).permute(0, 3, 1, 2)
    extra = behaviour[frames - 1 :, :, None, None].expand(-1, -1, *video.shape[1:])
    return torch.cat([windows, extra], dim=1)


def poisson(predicted: torch.Tensor, response: torch.Tensor) -> torch.Tensor:
    """Its Poisson loss, mean over responses."""
    return PoissonLoss(avg=True)(predicted, response)
