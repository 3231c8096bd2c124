"""The foundation model: encoders, conditioning, population tokens, a shared core, and a readout for every unit.

All windows at once (`__call__`, teacher-forced) and one window at a time (`begin`, `step`) are the same computation.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from surrogate.batches.batch import Batch, Leaf
from surrogate.config import Config, Inputs, Model
from surrogate.core import core_of
from surrogate.covariates import Conditioning
from surrogate.encoders import StreamEncoder, VideoEncoder
from surrogate.heads import head_named
from surrogate.population import PopulationTokens, ahead, coupled, near_mean, others_mean, windows_until
from surrogate.readout import SharedDecoder, at_places
from surrogate.taps import Taps
from surrogate.traces import advanced, logarithms, traces
from surrogate.units import UnitTable
from surrogate.vocabulary import Vocabulary

Raw = Float[Array, "item time unit parameter"]
DTYPES = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Shown:
    """Which responses each path may see, 1 or 0 (item, time, unit); None is all of them.

    Attributes:
        own: a unit's own past.
        others: the linear coupling between units.
        tokens: the pooled tokens of the core, which hold the unit itself too.
    """

    own: Leaf = None
    others: Leaf = None
    tokens: Leaf = None


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Encoded:
    """What does not depend on any response, and may be computed before a rollout.

    Attributes:
        drive: (item, time, width) of the core.
        gain: (item, time, width) of the core's output, by behaviour.
        video: (item, time, unit, channel) features at each unit's place.
        rows: of the unit table.
        there: (item, unit) units that are no padding.
        near: (item, unit, other) weights of each unit's nearest units.
        drift: (item, time, bump) bumps over the number of the trial.
        largest: (item, unit) size of the largest response that is expected at all.
    """

    drive: Leaf
    gain: Leaf
    video: Leaf
    rows: dict[str, Leaf]
    there: Leaf
    near: Leaf
    drift: Leaf
    largest: Leaf

    def window(self, index: Any) -> "Encoded":
        """One window of it, its time axis kept."""
        parts: dict[str, Any] = {
            name: jax.lax.dynamic_slice_in_dim(getattr(self, name), index, 1, axis=1)
            for name in ("drive", "gain", "video", "drift")
        }
        return dataclasses.replace(self, **parts)


class Foundation(nnx.Module):
    """The model of a configuration and a vocabulary.

    Args:
        config: sizes and inputs.
        vocabulary: streams, covariates, animals and units.
        rngs: randomness of the initial weights.
    """

    def __init__(self, config: Config, vocabulary: Vocabulary, rngs: nnx.Rngs) -> None:
        model, data, dtype = config.model, config.data, DTYPES[config.training.precision]
        self.head = head_named(model.head, model.classes)
        self.inputs, self.taus, self.dtype = config.inputs, model.history_taus, dtype
        self.dropout, self.width = model.dropout, model.width
        n_traces = self.head.n_features * len(model.history_taus)
        start = self.head.start(np.array(vocabulary.unit_mean), np.array(vocabulary.unit_deviation))
        self.units = UnitTable(start, config, n_traces, self.head)
        n_stimulus = vocabulary.n_features("stimulus") + data.clock_bumps
        self.stimulus = StreamEncoder(n_stimulus, model.width, model.memory, dtype, rngs)
        self.behaviour = StreamEncoder(vocabulary.n_features("behaviour"), model.width, model.memory, dtype, rngs)
        frame, channels = vocabulary.video and vocabulary.video.shape, model.video_channels[-1]
        self.video = _video_encoder(frame, model, dtype, rngs) if frame else None
        self.from_maps = nnx.Linear(channels, model.width, dtype=dtype, rngs=rngs) if frame else None
        self.conditioning = Conditioning(vocabulary, model.width, model.covariate_dropout, dtype, rngs)
        self.tokens = (
            PopulationTokens(model.embedding, n_traces, model.latents, model.width, dtype, rngs)
            if model.latents
            else None
        )
        self.core: Any = core_of(model, dtype, rngs)
        self.gain = nnx.Linear(
            model.width, model.width, kernel_init=nnx.initializers.zeros_init(), dtype=dtype, rngs=rngs
        )
        around = 2 if config.inputs.others_near else 1
        given = self.head.n_features * config.inputs.others_windows
        known = self.head.n_parameters if model.log_history else 0
        seen = (1 + around) * n_traces + around * given + known + (channels if frame else 0)
        sizes = (model.width, model.embedding, seen)
        self.log_history = model.log_history
        self.decoder = (
            SharedDecoder(sizes, model.decoder, self.head.n_parameters, model.decoder_layers, dtype, rngs)
            if model.decoder
            else None
        )

    def __call__(
        self,
        batch: Batch,
        shown: Shown | None = None,
        key: Any | None = None,
        taps: Taps | None = None,
        inputs: Inputs | None = None,
    ) -> Raw:
        """Parameters of every response's likelihood, given the recorded responses before it.

        Args:
            batch: what is known.
            shown: responses that are hidden from a path.
            key: makes it a training pass, with dropout; None is the pass that predicts.
            taps: activations to read or change.
            inputs: what may be looked at, instead of what the configuration says.
        """
        shown, taps, inputs = shown or Shown(), taps or Taps(), inputs or self.inputs
        condition_key, dropout_key = (None, None) if key is None else jax.random.split(key)
        encoded = self.encode(batch, inputs, condition_key, taps)
        empty = self.start_traces(batch)
        own = self._traces(batch, shown.own, empty)
        pooled = own if shown.tokens is shown.own else self._traces(batch, shown.tokens, empty)
        others = own if shown.others is shown.own else self._traces(batch, shown.others, empty)
        pooled, others = ahead(pooled, inputs.tokens_until + 1), ahead(others, inputs.others_until + 1)
        drive = encoded.drive + self._pooled(encoded, pooled, inputs, taps)
        core, _ = self.core(taps("drive", drive), self.core.start(drive.shape[0]))
        if dropout_key is not None and self.dropout:
            kept = jax.random.bernoulli(dropout_key, 1.0 - self.dropout, core.shape)
            core = jnp.where(kept, core / (1.0 - self.dropout), jnp.zeros_like(core))
        given = windows_until(self._features(batch, shown.others), inputs.others_until, inputs.others_windows)
        return self._respond(encoded, core, own, others, given, inputs, taps)

    def begin(self, batch: Batch) -> tuple[Any, Float[Array, "item unit trace"]]:
        """The state before the first window: of the core, and traces of the past."""
        return self.core.start(batch.response.shape[0]), self.start_traces(batch)

    def step(self, encoded: Encoded, state: Any, inputs: Inputs, taps: Taps | None = None) -> tuple[Raw, Any]:
        """One window, of which `encoded` is: its parameters, and the state in which its response is not yet noted."""
        taps = taps or Taps()
        core_state, past = state
        traced = past[:, None]
        drive = encoded.drive + self._pooled(encoded, traced, inputs, taps)
        core, core_state = self.core(taps("drive", drive), core_state)
        given = traced[..., :0]  # windows as they are go with looking ahead, which cannot be generated
        return self._respond(encoded, core, traced, traced, given, inputs, taps), (core_state, past)

    def noted(self, state: Any, response: Float[Array, "item unit"]) -> Any:
        """The state after a window's response is known."""
        core_state, past = state
        return core_state, advanced(past, self.head.features(response).astype(self.dtype), self.taus)

    def encode(self, batch: Batch, inputs: Inputs, key: Any | None = None, taps: Taps | None = None) -> Encoded:
        """All that stimulus, behaviour, protocol and animal say."""
        taps = taps or Taps()
        n_items, n = batch.response.shape[:2]
        zeros = jnp.zeros((n_items, n, self.width), self.dtype)
        rows = self.units.rows(batch.unit, self.dtype)
        drive = taps("stimulus", self.stimulus(batch.stimulus)) if inputs.stimulus else zeros
        behaviour = zeros
        if inputs.behaviour:
            behaviour = taps("behaviour", self.behaviour(_shifted(batch.behaviour, inputs.behaviour_until)))
        seen = jnp.zeros((*batch.response.shape, 0), self.dtype)
        gain = jnp.tanh(self.gain(behaviour))
        if self.video is not None and self.from_maps is not None:
            maps = self.video(batch.video)
            if not inputs.stimulus:
                maps = jnp.zeros_like(maps)
            seen = taps("video", at_places(maps, rows["place"], rows["extent"]))
            drive = drive + self.from_maps(maps.mean(axis=(2, 3)))
        condition = taps("condition", self.conditioning(batch, inputs.covariates, key))
        drive = self.conditioning.apply(drive + behaviour, condition)
        drift = batch.drift.astype(self.dtype) if inputs.trial_index else jnp.zeros_like(batch.drift, self.dtype)
        return Encoded(drive, gain, seen, rows, batch.valid.any(axis=1), batch.near, drift, batch.largest)

    def start_traces(self, batch: Batch) -> Float[Array, "item unit trace"]:
        """Traces before the first window; where nothing is carried, of units that have been silent (at their mean)."""
        if batch.past.shape[-1]:
            return batch.past.astype(self.dtype)
        n_items, _, n_units = batch.response.shape
        return jnp.zeros((n_items, n_units, self.head.n_features * len(self.taus)), self.dtype)

    def _traces(self, batch: Batch, shown: Array | None, start: Array) -> Float[Array, "item time unit trace"]:
        return traces(self._features(batch, shown), self.taus, start)

    def _features(self, batch: Batch, shown: Array | None) -> Float[Array, "item time unit feature"]:
        features = self.head.features(batch.response).astype(self.dtype)
        features = features * batch.valid[..., None].astype(self.dtype)
        return features if shown is None else features * shown[..., None].astype(self.dtype)

    def _pooled(self, encoded: Encoded, past: Array, inputs: Inputs, taps: Taps) -> Float[Array, "item time width"]:
        if self.tokens is None or not inputs.others:
            return jnp.zeros_like(encoded.drive)
        return taps("population", self.tokens(past, encoded.rows["embedding"], encoded.there))

    def _respond(
        self, encoded: Encoded, core: Array, own: Array, others: Array, given: Array, inputs: Inputs, taps: Taps
    ) -> Raw:
        rows = encoded.rows
        core = taps("core", core * (1.0 + encoded.gain).astype(core.dtype))
        own = own if inputs.own_past else jnp.zeros_like(own)
        drive = jnp.einsum("itw,iuwd->itud", core, rows["readout"]) * np.float32(self.width**-0.5).astype(core.dtype)
        drive = drive + jnp.einsum("itum,iumd->itud", own, rows["history"])
        drive = drive + jnp.einsum("itb,iubd->itud", encoded.drift, rows["drift"])
        drive = drive + jnp.einsum("ituc,iucd->itud", encoded.video, rows["features"])
        if inputs.others:
            drive = drive + coupled(others, rows["into"], rows["out_of"], encoded.there)
        raw = jnp.broadcast_to(rows["start"][:, None], (*drive.shape[:3], self.head.n_parameters))
        if self.decoder is not None:
            seen = self._seen(encoded, own, others, given, inputs)
            hidden = taps("decoder", self.decoder.hidden(core, rows["embedding"], seen))
            raw = raw + self.decoder.out(hidden)
        n_drives = self.head.n_drives
        raw = jnp.concatenate([raw[..., :n_drives] + drive, raw[..., n_drives:]], axis=-1)
        largest = jnp.broadcast_to(encoded.largest[:, None], raw.shape[:-1]).astype(jnp.float32)
        return taps("raw", self.head.bounded(raw.astype(jnp.float32), largest))

    def _seen(self, encoded: Encoded, own: Array, others: Array, given: Array, inputs: Inputs) -> Array:
        """What each unit sees by itself: its past, what is around it, the video at its place, what it is like."""
        around = []
        for past in (others, given):
            past = past if inputs.others else jnp.zeros_like(past)
            around.append(others_mean(past, encoded.there))
            if encoded.near.shape[-1]:
                around.append(near_mean(past, encoded.near))
        if not self.log_history:
            return jnp.concatenate([own, *around, encoded.video], axis=-1)
        start = encoded.rows["start"][:, None]
        start = jnp.broadcast_to(start, (*own.shape[:-1], start.shape[-1]))
        return jnp.concatenate([*map(logarithms, (own, *around)), start, encoded.video], axis=-1)


def _shifted(stream: Array, windows: int) -> Array:
    """A stream as it will be `windows` later; its last window is held."""
    return jnp.concatenate([stream[:, windows:], jnp.repeat(stream[:, -1:], min(windows, stream.shape[1]), axis=1)], 1)


def _video_encoder(frame: tuple[int, ...], model: Model, dtype: Any, rngs: nnx.Rngs) -> VideoEncoder:
    colours = frame[2] if len(frame) == 3 else 1
    later = model.video_kernel if model.video_hidden_kernel is None else model.video_hidden_kernel
    kernels = (model.video_kernel, *(later for _ in model.video_channels[1:]))
    return VideoEncoder(colours, model.video_channels, kernels, model.video_stride, model.video_recurrent, dtype, rngs)
