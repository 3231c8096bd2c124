"""Causal convolutions of videos by discrete Fourier transforms that are matrix products: less arithmetic, on a CPU.

A product of spectra is a circular convolution; on a ring that is longer than the image by what the kernel reaches over
its edge, it is the zero-padded one. Images are small, so that a transform is a product with a small dense matrix, which
runs near a processor's peak where a fast Fourier transform does not, and which pads, crops and strides for nothing. A
kernel of 7 by 7 pixels takes about a sixth of the multiplications of the sum, forwards and backwards together.

All arrays have the layout (width, height, channel, item x time), in which every product is a plain one of matrices.
"""

import dataclasses
import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Planes = Float[Array, "across down channel item time"]
Result = Float[Array, "to_across to_down feature item time"]
Kernel = Float[Array, "rows columns lagged_channel feature"]


@dataclasses.dataclass(frozen=True)
class Axis:
    """One spatial axis: `out[o] = sum over j of image[stride * o - before + j] * kernel[j]`, zeros outside.

    Attributes:
        size: of the image, pixels.
        kernel: pixels.
        stride: pixels.
    """

    size: int
    kernel: int
    stride: int

    @property
    def out(self) -> int:
        """Positions of the result, as many as XLA's SAME has."""
        return -(-self.size // self.stride)

    @property
    def before(self) -> int:
        """Zeros before the image, as many as XLA's SAME has."""
        return max((self.out - 1) * self.stride + self.kernel - self.size, 0) // 2

    @property
    def ring(self) -> int:
        """Pixels of the ring on which nothing wraps into the image."""
        return max(self.size, (self.out - 1) * self.stride - self.before + self.kernel) + self.before

    def angles(self, frequencies: int, places: np.ndarray) -> np.ndarray:
        """(frequency, place), radians."""
        return 2.0 * np.pi / self.ring * np.outer(np.arange(frequencies), places)

    @property
    def kernel_places(self) -> np.ndarray:
        """Of each element of the kernel, from the position that it contributes to."""
        return np.arange(self.kernel) - self.before

    @property
    def out_places(self) -> np.ndarray:
        """Of each position of the result."""
        return self.stride * np.arange(self.out)


@dataclasses.dataclass(frozen=True)
class Transforms:
    """The constant matrices; a pair of real and imaginary part is an axis of length two.

    Attributes:
        across: (frequency pair, pixel), of real numbers: half of the frequencies.
        down: (frequency pair, pair pixel), of the spectrum across.
        kernel: (pair frequency-across frequency-down, row column).
        up: (pair position, frequency pair), the inverse of `down` at the positions of the result.
        back: (position, frequency pair), the inverse of `across`.
    """

    across: np.ndarray
    down: np.ndarray
    kernel: np.ndarray
    up: np.ndarray
    back: np.ndarray


@functools.lru_cache
def transforms(wide: Axis, high: Axis) -> Transforms:
    """For images of this width and height."""
    half, whole = wide.ring // 2 + 1, high.ring
    a = wide.angles(half, np.arange(wide.size))
    d = high.angles(whole, np.arange(high.size))
    rows, columns = high.angles(whole, high.kernel_places), wide.angles(half, wide.kernel_places)
    k = columns[:, None, None, :] + rows[None, :, :, None]
    u = high.angles(whole, high.out_places).T
    b = wide.angles(half, wide.out_places).T
    # Of a real image's spectrum the other half is the conjugate: what has one counts twice.
    twice = np.where((np.arange(half) == 0) | (2 * np.arange(half) == wide.ring), 1.0, 2.0)
    made = (
        np.stack([np.cos(a), -np.sin(a)], 1).reshape(2 * half, -1),
        _pairs(np.cos(d), np.sin(d)).transpose(0, 2, 3, 1).reshape(2 * whole, -1),
        np.stack([np.cos(k), np.sin(k)]).reshape(2 * half * whole, -1),
        _pairs(np.cos(u), -np.sin(u)).transpose(2, 0, 1, 3).reshape(2 * high.out, -1) / whole,
        np.stack([np.cos(b) * twice, -np.sin(b) * twice], -1).reshape(wide.out, -1) / wide.ring,
    )
    return Transforms(*(one.astype(np.float32) for one in made))


def _pairs(real: np.ndarray, imaginary: np.ndarray) -> np.ndarray:
    """(row, column, pair of the result, pair): the product with real - i imaginary, (row, column), as one of pairs."""
    return np.stack([np.stack([real, imaginary], -1), np.stack([-imaginary, real], -1)], 2)


def convolved(planes: Planes, kernel: Kernel, frames: int, stride: int) -> Result:
    """The convolution with the last `frames` frames, as `surrogate.encoders.video` defines it, in float32.

    Args:
        planes: one frame after another of each item.
        kernel: of the frames stacked as channels, the present one last.
        frames: that the kernel sees.
        stride: pixels.
    """
    width, height, channels, n_items, n = planes.shape
    rows, columns, _, features = kernel.shape
    wide, high = Axis(width, columns, stride), Axis(height, rows, stride)
    fixed = transforms(wide, high)
    half, whole, total = len(fixed.across) // 2, len(fixed.down) // 2, n_items * n
    spectrum = jnp.asarray(fixed.across) @ planes.astype(jnp.float32).reshape(width, -1)
    spectrum = _same(fixed.down, half) @ spectrum.reshape(half, 2 * height, -1)
    stacked = _lagged(spectrum.reshape(half * whole, 2 * channels, n_items, n), frames)
    shaped = kernel.astype(jnp.float32).reshape(rows * columns, frames, channels, features).transpose(0, 3, 1, 2)
    real, imaginary = (jnp.asarray(fixed.kernel) @ shaped.reshape(rows * columns, -1)).reshape(
        2, half * whole, features, frames, channels
    )
    upper = jnp.concatenate([real, -imaginary], -1).reshape(half * whole, features, -1)
    lower = jnp.concatenate([imaginary, real], -1).reshape(half * whole, features, -1)
    product = jnp.concatenate([upper, lower], 1) @ stacked.reshape(half * whole, -1, total)
    product = _same(fixed.up, half) @ product.reshape(half, 2 * whole, -1)
    image = jnp.asarray(fixed.back) @ product.reshape(2 * half, -1)
    return image.reshape(wide.out, high.out, features, n_items, n)


def _same(matrix: np.ndarray, n: int) -> Float[Array, "n row column"]:
    return jnp.broadcast_to(jnp.asarray(matrix)[None], (n, *matrix.shape))


def _lagged(spectrum: Float[Array, "frequency channel item time"], frames: int) -> Float[Array, "..."]:
    """(frequency, lag, channel, item, time), the present frame last; zeros before the start."""
    n = spectrum.shape[-1]
    padded = jnp.pad(spectrum, ((0, 0), (0, 0), (0, 0), (frames - 1, 0)))
    return jnp.stack([padded[..., lag : lag + n] for lag in range(frames)], 1)
