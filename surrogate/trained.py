"""A trained surrogate: predict, sample, unroll."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from surrogate import checkpoint as folders
from surrogate.batches import Batch, Item, Items, Loader, Session, open_session, session_of
from surrogate.checkpoint import Checkpoint
from surrogate.config import Inputs
from surrogate.envelope import Outside, outside
from surrogate.generated import as_recording, longer
from surrogate.objectives import generate
from surrogate.prediction import predicted
from surrogate.taps import Change, Taps
from twin import recording
from twin.errors import InputError, UnsupportedError
from twin.split import Parts, Segment

Recording = str | Path | xr.DataTree


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a surrogate expects of a recording.

    Attributes:
        data: `mean`, `response` and `log_prob` (trial, time, unit), NaN beyond a trial's end and where nothing was
            asked for; `log_prob` in nats, with every constant, of the response in its own units.
        outside: where the recording lies outside of what training saw; empty inside.
    """

    data: xr.Dataset
    outside: tuple[Outside, ...]

    @property
    def mean(self) -> np.ndarray:
        """Expected response (trial, time, unit)."""
        return self.data["mean"].values


class Surrogate:
    """Weights with all that is needed to use them.

    Args:
        checkpoint: what training gave.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint, self.config, self.vocabulary = checkpoint, checkpoint.config, checkpoint.vocabulary
        self._structure = checkpoint.structure
        self._weights = {name: jnp.asarray(value) for name, value in checkpoint.weights.items()}
        self._compiled: dict[Any, Any] = {}

    @classmethod
    def from_checkpoint(cls, path: str | Path) -> "Surrogate":
        """Read a surrogate from the folder that training, `adapt` or `save` wrote.

        Raises:
            InputError: as `surrogate.checkpoint.load`.
        """
        return cls(folders.load(path))

    def save(self, path: str | Path) -> Path:
        """Write it as a folder."""
        return folders.save(self.checkpoint, path)

    @property
    def model(self) -> Any:
        """The Flax module."""
        return self._structure.merge(self._weights)

    def predict(
        self,
        one: Recording,
        *,
        part: str | None = None,
        inputs: Inputs | None = None,
        patch: Mapping[str, Change] | None = None,
    ) -> Prediction:
        """The expected response of every window, given what was recorded before it (and of the others, if so trained).

        Args:
            one: a recording of a session that the surrogate knows, or where it is stored.
            part: "train", "validation" or "test" of the split that training used; everything otherwise.
            inputs: what may be looked at, instead of what training used: an ablation is one flag.
            patch: activations to change; see `surrogate.taps`.

        Raises:
            InputError: a session or units that the surrogate does not know, a stimulus of another size, values that
                are not finite, or an empty recording.
        """
        _, session = self._opened(one)
        head = self.model.head
        scale, centre = self._scale(session)
        shape = (len(session.n_windows), int(session.n_windows.max()), session.n_units)
        arrays = {name: np.full(shape, np.nan, np.float32) for name in ("mean", "response", "log_prob")}
        taps = Taps(patch or {})

        def run(weights: Any, batch: Batch) -> Any:
            share = self.config.objective.hidden_share
            raw = predicted(self._structure.merge(weights), batch, share, inputs, taps)
            response = batch.response.astype(jnp.float32)
            return {"mean": head.mean(raw), "response": response, "log_prob": head.log_prob(raw, response)}

        # A patch is a function, which a compilation cannot be looked up by.
        step = jax.jit(run) if patch else self._compiled.setdefault(("predict", inputs), jax.jit(run))
        for batch, items in self._tiles(session, part):
            found = {name: np.asarray(value) for name, value in step(self._weights, batch).items()}
            for number, item in enumerate(items):
                _put(arrays, found, number, item)
        arrays["mean"], arrays["response"] = (arrays[name] * scale + centre for name in ("mean", "response"))
        arrays["log_prob"] -= np.log(scale)
        return Prediction(self._dataset(session, arrays), outside(session, self.vocabulary))

    def sample(self, one: Recording, *, seed: int, n: int = 1) -> xr.DataTree:
        """Draws of every response, given the recorded ones before it.

        Returns:
            A recording whose trials are the first draw of all trials, then the second, ...
        """
        return self._drawn(one, seed, n, context=None)

    def unroll(self, one: Recording, *, seed: int, n: int = 1, seconds: float | None = None, context_s: float = 0.0):
        """Activity generated freely: each window follows from those that the model itself generated.

        Args:
            one: a recording of the session, for its stimulus, behaviour and protocol, and for the context.
            seed: of the draws.
            n: how often each trial is generated.
            seconds: length of a trial; that of the recording otherwise. Longer only where no stream is an input.
            context_s: recorded activity that the model is shown first, s.

        Returns:
            A recording whose trials are the first generation of all trials, then the second, ...

        Raises:
            UnsupportedError: the surrogate looks at the other units' present or future.
        """
        if self.config.inputs.others and self.config.inputs.others_until >= 0:
            raise UnsupportedError(
                f"this surrogate looks at the other units up to {self.config.inputs.others_until} windows ahead, which "
                "do not exist yet in free running; train one with inputs.others_until = -1."
            )
        windows = None if seconds is None else max(1, round(seconds / self.vocabulary.window_s))
        return self._drawn(one, seed, n, context=round(context_s / self.vocabulary.window_s), windows=windows)

    def activations(self, one: Recording, names: tuple[str, ...], trial: int = 0) -> dict[str, np.ndarray]:
        """Named activations of one trial from its start, at most `data.length` windows; see `surrogate.taps.NAMES`."""
        _, session = self._opened(one)
        batch = self._whole(session, [trial], min(int(session.n_windows[trial]), self.config.data.length))
        taps = Taps(read=names)
        self.model(batch, taps=taps)
        return {name: np.asarray(value[0], np.float32) for name, value in taps.found.items()}

    def mean_activation(self, one: Recording, name: str, segments: tuple[Segment, ...]) -> np.ndarray:
        """A named activation of each unit, (item, time, unit, feature), averaged over the windows of some segments.

        Returns:
            Mean over windows and units, (feature,): what the model makes of a recording as a whole.
        """
        _, session = self._opened(one)

        def run(weights: Any, batch: Batch) -> Any:
            taps = Taps(read=(name,))
            self._structure.merge(weights)(batch, taps=taps)
            counted = batch.valid & batch.scored[..., None]
            values = jnp.where(counted[..., None], taps.found[name].astype(jnp.float32), jnp.float32(0.0))
            return values.sum(axis=(0, 1, 2)), counted.sum()

        step = self._compiled.setdefault(("mean", name), jax.jit(run))
        loader = Loader([session], [Parts((), (), segments)], self.vocabulary, self.config)
        sums = [step(self._weights, batch) for batch, _ in loader.tiles("test")]
        totals = np.stack([np.asarray(total, np.float64) for total, _ in sums])
        return totals.sum(axis=0) / sum(int(n) for _, n in sums)

    def _drawn(self, one: Recording, seed: int, n: int, context: int | None, windows: int | None = None) -> xr.DataTree:
        tree, session = self._opened(one)
        trials = np.flatnonzero(session.n_windows)
        length = int(session.n_windows.max()) if windows is None else windows
        batch = self._whole(session, trials.tolist(), length)

        def run(weights: Any, batch: Batch, key: Any) -> Any:
            model = self._structure.merge(weights)
            if context is None:
                return model.head.sample(predicted(model, batch, self.config.objective.hidden_share), key)
            return generate(model, batch, key, length - min(context, length - 1))

        step = self._compiled.setdefault(("draw", context, length), jax.jit(run))
        keys = jax.random.split(jax.random.key(seed), n)
        draws = np.concatenate([np.asarray(step(self._weights, batch, key)) for key in keys])[..., : session.n_units]
        if context:
            given = np.concatenate([np.asarray(batch.response)] * n)[:, : length - draws.shape[1], : session.n_units]
            draws = np.concatenate([given, draws], axis=1)
        scale, centre = self._scale(session)
        what = "sampled given the recorded past" if context is None else f"free-running after {context} windows"
        found = outside(session, self.vocabulary, None if context is None else length - context)
        return as_recording(tree, session, draws * scale + centre, what, seed, found)

    def _opened(self, one: Recording) -> tuple[xr.DataTree, Session]:
        if isinstance(one, xr.DataTree):
            return one, session_of(one, self.config.data)
        return recording.open(one), open_session(one, self.config.data)

    def _rows(self, session: Session) -> slice:
        first = Items([session], self.vocabulary, self.config).first_unit[0]
        return slice(first, first + session.n_units)

    def _scale(self, session: Session) -> tuple[np.ndarray, np.ndarray]:
        """Each unit's deviation and mean, by which its responses were standardised; 1 and 0 where they were not."""
        if self.model.head.discrete:
            return np.ones(session.n_units, np.float32), np.zeros(session.n_units, np.float32)
        rows = self._rows(session)
        deviation = np.maximum(np.array(self.vocabulary.unit_deviation[rows], np.float32), 1e-6)
        return deviation, np.array(self.vocabulary.unit_mean[rows], np.float32)

    def _tiles(self, session: Session, part: str | None) -> Any:
        chosen: tuple[Segment, ...] = session.spans()
        if part is not None:
            known = self.checkpoint.parts.get(session.name, Parts(()))
            if part not in {field.name for field in dataclasses.fields(Parts)}:
                raise InputError(f"there is no part {part!r}; give train, validation or test.")
            chosen = getattr(known, part)
            if not chosen:
                raise InputError(f"{session.name}: training set nothing apart as {part!r}; predict everything instead.")
        return Loader([session], [Parts((), (), chosen)], self.vocabulary, self.config).tiles("test")

    def _whole(self, session: Session, trials: list[int], length: int) -> Batch:
        every = np.arange(session.n_units)
        stops = np.minimum(session.n_windows, length).tolist()
        items = [Item(0, trial, 0, stops[trial], 0, stops[trial], every) for trial in trials]
        batch = Items([session], self.vocabulary, self.config).batch(items, length, session.n_units)
        return longer(batch, [one.stop for one in items], session)

    def _dataset(self, session: Session, arrays: dict[str, np.ndarray]) -> xr.Dataset:
        time = float(session.starts_s[0]) + self.vocabulary.window_s * np.arange(int(session.n_windows.max()))
        return xr.Dataset(
            {name: (("trial", "time", "unit"), values) for name, values in arrays.items()},
            coords={"time": ("time", time, {"units": "s"}), "unit": list(session.unit_ids)},
            attrs={"session": session.name, "metric_protocol": folders.metric_protocol(self.config)["hash"]},
        )


def _put(arrays: dict[str, np.ndarray], found: dict[str, np.ndarray], number: int, item: Item) -> None:
    first, last = item.scored_from - item.start, item.scored_to - item.start
    for name, values in found.items():
        place = np.ix_(np.array([item.trial]), np.arange(item.scored_from, item.scored_to), item.units)
        arrays[name][place] = values[number, first:last, : len(item.units)][None]
