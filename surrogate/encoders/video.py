"""Video: causal 3-D convolutions, then a convolutional recurrent layer; feature maps come out.

A 3-D convolution is done as a 2-D one over the last frames stacked as channels, which is the same sum and faster; on a
CPU by its spectrum, see `surrogate.encoders.spectrum`.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from surrogate.encoders.spectrum import convolved

Video = Float[Array, "item time height width channel"]
Maps = Float[Array, "item time down across feature"]


def last_frames(video: Video, n: int) -> Maps:
    """Each frame with the n - 1 before it as further channels, the present one last; zeros before the start."""
    length = video.shape[1]
    padded = jnp.pad(video, ((0, 0), (n - 1, 0), (0, 0), (0, 0), (0, 0)))
    return jnp.concatenate([padded[:, lag : lag + length] for lag in range(n)], axis=-1)


def over_frames(convolution: nnx.Conv, video: Video) -> Maps:
    """A 2-D convolution of every frame."""
    flat = convolution(video.reshape(-1, *video.shape[2:]))
    return flat.reshape(*video.shape[:2], *flat.shape[1:])


class ConvolutionalGru(nnx.Module):
    """A gated recurrent unit whose products are 3 by 3 convolutions (Ballas et al. 2016, arXiv 1511.06432, eq. 5-8)."""

    def __init__(self, channels: int, dtype: Any, rngs: nnx.Rngs) -> None:
        self.channels = channels
        self.into = nnx.Conv(channels, 3 * channels, (3, 3), dtype=dtype, rngs=rngs)
        self.gates = nnx.Conv(channels, 2 * channels, (3, 3), use_bias=False, dtype=dtype, rngs=rngs)
        self.candidate = nnx.Conv(channels, channels, (3, 3), use_bias=False, dtype=dtype, rngs=rngs)

    def __call__(self, maps: Maps) -> Maps:
        """The state after each frame, starting from zeros."""
        driven = jnp.moveaxis(over_frames(self.into, maps), 1, 0)

        def frame(state: Any, given: Any) -> tuple[Any, Any]:
            gates = jax.nn.sigmoid(given[..., : 2 * self.channels] + self.gates(state))
            keep, reset = jnp.split(gates, 2, axis=-1)
            new = jnp.tanh(given[..., 2 * self.channels :] + self.candidate(reset * state))
            state = keep * state + (1.0 - keep).astype(state.dtype) * new
            return state, state

        start = jnp.zeros(driven.shape[1:-1] + (self.channels,), driven.dtype)
        return jnp.moveaxis(jax.lax.scan(frame, start, driven)[1], 0, 1)


class VideoEncoder(nnx.Module):
    """Frames -> feature maps of as many frames, `stride` times smaller.

    Args:
        n_channels: of a frame.
        channels: of each layer.
        kernels: (windows, pixels) of each layer's filters.
        stride: of the first layer, pixels.
        recurrent: whether a convolutional recurrent layer follows, added to what it is given.
        dtype: of the arithmetic.
        rngs: randomness of the initial weights.
    """

    def __init__(
        self,
        n_channels: int,
        channels: Sequence[int],
        kernels: Sequence[tuple[int, int]],
        stride: int,
        recurrent: bool,
        dtype: Any,
        rngs: nnx.Rngs,
    ) -> None:
        self.dtype = dtype
        self.frames = tuple(frames for frames, _ in kernels)
        self.strides = (stride, *(1 for _ in channels[1:]))
        sizes = zip([n_channels, *channels[:-1]], channels, kernels, self.strides, strict=True)
        self.layers = nnx.List(
            [
                nnx.Conv(before * frames, after, (pixels, pixels), strides=steps, dtype=dtype, rngs=rngs)
                for before, after, (frames, pixels), steps in sizes
            ]
        )
        self.recurrent = ConvolutionalGru(channels[-1], dtype, rngs) if recurrent else None

    def __call__(self, video: Video) -> Maps:
        """Encode each frame from itself and its past."""
        maps = jax.lax.platform_dependent(video, cpu=self.by_spectrum, default=self.by_sum).astype(self.dtype)
        return maps if self.recurrent is None else maps + self.recurrent(maps)

    def by_sum(self, video: Video) -> Maps:
        """The convolutional layers as they are defined, by XLA's convolutions."""
        maps = video.astype(self.dtype)
        for layer, frames in zip(self.layers, self.frames, strict=True):
            maps = jax.nn.gelu(over_frames(layer, last_frames(maps, frames)))
        return maps.astype(jnp.float32)

    def by_spectrum(self, video: Video) -> Maps:
        """The same by products of spectra, in float32 whatever the precision, since a CPU is not faster in another."""
        planes = jnp.transpose(video.astype(jnp.float32), (3, 2, 4, 0, 1))
        for layer, frames, stride in zip(self.layers, self.frames, self.strides, strict=True):
            assert layer.bias is not None
            bias = layer.bias[...].astype(jnp.float32)[None, None, :, None, None]
            planes = jax.nn.gelu(convolved(planes, layer.kernel[...], frames, stride) + bias)
        return jnp.transpose(planes, (3, 4, 1, 0, 2))
