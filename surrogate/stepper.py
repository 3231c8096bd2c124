"""A population surrogate in the role that a twin couples: one window at a time, explicit state.

The circuit takes the units' place: what it emitted in the last window goes in as spike counts, the logarithm of the
expected count of the next window comes out. For a single cell whose circuit owns its refractoriness there is
`surrogate.single`, which gives its drive in parts.
"""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr

from surrogate.batches import Batch, session_of
from surrogate.batches.items import check_streams, covariates, first_unit_of, near_weights
from surrogate.trained import Surrogate
from surrogate.vocabulary import StreamFacts
from twin import recording
from twin.errors import UnsupportedError
from twin.ports import Arrays, Port, State


class Stepper:
    """The units of one session of a surrogate.

    Args:
        surrogate: trained on counts, looking at the past alone.
        one: a recording of a session that it knows, for its units, animal and protocol.

    Raises:
        UnsupportedError: the surrogate looks ahead, at a video, at names, at behaviour or at the clock, none of which
            a twin hands over window by window; or its responses are no counts.
        InputError: it does not know the session.
    """

    def __init__(self, surrogate: Surrogate, one: xr.DataTree | str | Path) -> None:
        _check(surrogate)
        tree = one if isinstance(one, xr.DataTree) else recording.open(one)
        session, vocabulary = session_of(tree, surrogate.config.data), surrogate.vocabulary
        check_streams(session, vocabulary)
        first = first_unit_of(session, vocabulary)
        self.window_s = vocabulary.window_s
        self._streams = vocabulary.of_role("stimulus")
        self.stimulus_ports = tuple(Port(facts.name, facts.unit, facts.n_features) for facts in self._streams)
        self.readout_ports = (Port("spike_count", "1", session.n_units),)
        self.drive_ports = (Port("log_count", "1", session.n_units),)
        self._model, self._memory = surrogate.model, surrogate.config.model.memory
        told = {name: value[None] for name, value in covariates(session, vocabulary).items()}
        self._largest = vocabulary.largest(standardised=False)[None, first : first + session.n_units]
        self._rows = np.arange(first, first + session.n_units, dtype=np.int32)[None]
        self._near = jnp.asarray(near_weights(session, surrogate.config.inputs.others_near))[None]
        self._told, self._n_behaviour = told, vocabulary.n_features("behaviour")
        self._bumps = surrogate.config.data.trial_bumps

    def init(self, key: Any) -> State:
        """Before the first window: silent units, and streams at their mean."""
        del key
        features = sum(facts.n_features + 1 for facts in self._streams)
        past = jnp.zeros((1, self._memory, features), jnp.float32)
        return self._model.begin(self._batch(past)), past

    def advance(self, state: State, readout: Arrays, stimulus: Arrays, key: Any) -> tuple[State, Arrays]:
        """Note the last window's counts, take in this window's stimulus, give the log count of this window."""
        del key
        inner, past = state
        inner = self._model.noted(inner, readout["spike_count"][None].astype(jnp.float32))
        now = [_encoded(facts, stimulus[facts.name]) for facts in self._streams]
        if now:
            past = jnp.concatenate([past[:, 1:], jnp.concatenate(now)[None, None]], axis=1)
        encoded = self._model.encode(self._batch(past), self._model.inputs).window(self._memory - 1)
        raw, inner = self._model.step(encoded, inner, self._model.inputs)
        return (inner, past), {"log_count": raw[0, 0, :, 0]}

    def _batch(self, stimulus: Any) -> Batch:
        n, n_units = stimulus.shape[1], self._rows.shape[1]
        return Batch(
            response=jnp.zeros((1, n, n_units), jnp.float32),
            valid=jnp.ones((1, n, n_units), bool),
            scored=jnp.ones((1, n), bool),
            past=jnp.zeros((1, n_units, 0), jnp.float32),
            near=self._near,
            unit=jnp.asarray(self._rows),
            largest=jnp.asarray(self._largest),
            stimulus=stimulus,
            behaviour=jnp.zeros((1, n, self._n_behaviour), jnp.float32),
            video=jnp.zeros((1, n, 0, 0, 1), jnp.float32),
            drift=jnp.zeros((1, n, self._bumps), jnp.float32),
            **{name: jnp.asarray(value) for name, value in self._told.items()},
        )


def _encoded(facts: StreamFacts, value: Any) -> Any:
    """As `StreamFacts.encode`, of one window, with the flag that the stream is there."""
    scale = jnp.asarray(np.maximum(facts.deviation, 1e-6), jnp.float32)
    standard = (value.astype(jnp.float32) - jnp.asarray(facts.mean, jnp.float32)) / scale
    return jnp.concatenate([standard, jnp.ones((1,), jnp.float32)])


def _check(surrogate: Surrogate) -> None:
    config, vocabulary = surrogate.config, surrogate.vocabulary
    inputs, data = config.inputs, config.data
    reasons = {
        "its likelihood is not of counts": config.model.head not in ("poisson", "negative_binomial"),
        "it looks at other units' present": inputs.others and inputs.others_until >= 0,
        "it sees a video": vocabulary.video is not None and inputs.stimulus,
        "it sees the clock": data.clock_bumps > 0 and inputs.stimulus,
        "it sees the number of the trial": data.trial_bumps > 0 and inputs.trial_index,
        "it sees behaviour": bool(vocabulary.of_role("behaviour")) and inputs.behaviour,
        "a stream holds names": any(one.levels is not None for one in vocabulary.of_role("stimulus")),
    }
    for reason, holds in reasons.items():
        if holds:
            raise UnsupportedError(
                f"this surrogate cannot be coupled: {reason}; train one without that input ([inputs] and [data] of its "
                "configuration)."
            )
