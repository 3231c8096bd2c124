"""The network: pretrained on other mice, read on a new one, adapted by gradient, or trained from scratch."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from experiments.v1_transfer.mice import WINDOW_S, Mouse
from experiments.v1_transfer.settings import Settings
from surrogate import Config, Surrogate, adapt, fit
from surrogate.batches import Batch, Loader
from surrogate.checkpoint import Checkpoint
from surrogate.config import Data, Inputs, Model, Objective, Training
from surrogate.survey import survey
from surrogate.taps import Taps
from surrogate.train import opened
from surrogate.weights import fresh_weights
from twin.split import Parts

UNITS_AT_ONCE = 32  # one shape of batch for all mice, so that one compilation serves them


@dataclasses.dataclass(frozen=True, eq=False)
class Read:
    """What a network says of a mouse whose activity it was not fitted to.

    Attributes:
        core: (trial, time, feature) of the shared dynamics, which see stimulus and behaviour alone.
        average_neuron: (trial, time, neuron) what it expects of a neuron that is like the average of those it knows.
    """

    core: np.ndarray
    average_neuron: np.ndarray


def config_of(settings: Settings, n_times: int, seed: int, steps: int) -> Config:
    """The network. Its core sees stimulus and behaviour; a neuron's readout its own past and the trial's number.

    Half of the objective hides the neuron's past, so that leaving it out is a case that training has seen.
    """
    check_every = max(1, steps // 10)
    return Config(
        name="v1_transfer",
        seed=seed,
        data=Data(
            signal="fluorescence", window_s=WINDOW_S, streams=("direction",), behaviour=("pupil", "speed"),
            levels=("direction",), clock_bumps=13, trial_bumps=7, length=n_times, burn_in=0, max_units=UNITS_AT_ONCE,
        ),
        inputs=Inputs(behaviour_until=4, others=False),
        model=Model(
            head="gaussian", width=settings.width, attention_heads=1, memory=8, embedding=8, decoder=16,
            history_taus=(0.4, 1.5, 4.0, 12.0), latents=0, coupling_rank=1, dropout=0.2,
        ),
        objective=Objective(supervised=1.0, masked=1.0, hidden_share=0.25),
        training=Training(
            steps=steps, batch=settings.batch, learning_rate=0.01, warm_up=max(1, steps // 10), weight_decay=0.1,
            unit_decay=0.3, ema=0.98, check_every=check_every, patience=4,
        ),
    )  # fmt: skip


def inputs_of(words: Sequence[str]) -> Inputs:
    """Flags of what may be looked at, from words of `experiments.v1_transfer.models.INPUTS`."""
    return Inputs(
        stimulus="stimulus" in words,
        behaviour="behaviour" in words,
        behaviour_until=4,
        own_past="own_past" in words,
        others=False,
        trial_index="trial_index" in words,
    )


def pretrain(mice: Sequence[Mouse], trials: Sequence[np.ndarray], settings: Settings, seed: int) -> Surrogate:
    """A network of these mice, fitted to these trials of each."""
    parts = {mouse.name: mouse.parts(chosen, seed) for mouse, chosen in zip(mice, trials, strict=True)}
    config = config_of(settings, len(mice[0].time_s), seed, settings.pretraining_steps)
    return fit(config, [mouse.tree for mouse in mice], parts=parts).surrogate


def from_scratch(mouse: Mouse, trials: np.ndarray, settings: Settings, seed: int) -> Surrogate:
    """The same network of one mouse alone."""
    config = config_of(settings, len(mouse.time_s), seed, settings.adapting_steps)
    return fit(config, [mouse.tree], parts={mouse.name: mouse.parts(trials, seed)}).surrogate


def adapted(surrogate: Surrogate, mouse: Mouse, trials: np.ndarray, settings: Settings, seed: int) -> Surrogate:
    """Readouts for a mouse by gradient, the core frozen."""
    training = config_of(settings, len(mouse.time_s), seed, settings.adapting_steps).training
    parts = {mouse.name: mouse.parts(trials, seed)}
    return adapt(surrogate, [mouse.tree], training=training, parts=parts).surrogate


def predicted(surrogate: Surrogate, mouse: Mouse, words: Sequence[str]) -> np.ndarray:
    """(trial, time, neuron) as recorded, of a mouse that the network knows."""
    return surrogate.predict(mouse.tree, inputs=inputs_of(words)).mean.astype(np.float64)


def introduced(surrogate: Surrogate, mouse: Mouse, trials: np.ndarray) -> Surrogate:
    """The network with rows for a new mouse, each the average of those it has; nothing is fitted.

    Only the mean and deviation of each neuron come from `trials`.
    """
    config, known = surrogate.config, surrogate.vocabulary
    parts = Parts(mouse.parts(trials, 0).train + mouse.parts(trials, 0).validation)
    vocabulary = known.with_sessions(survey(opened(config, [mouse.tree]), [parts], config))
    structure, fresh = fresh_weights(config, vocabulary)
    weights = {}
    for name, new in fresh.items():
        old = np.asarray(surrogate.checkpoint.weights[name])
        rows = np.repeat(old.mean(axis=0, keepdims=True), max(len(new) - len(old), 0), axis=0)
        weights[name] = np.concatenate([old, rows]) if name in structure.owned else old
    return Surrogate(Checkpoint(config, vocabulary, weights, {**surrogate.checkpoint.parts, mouse.name: parts}))


def untrained(surrogate: Surrogate, seed: int) -> Surrogate:
    """The same network with the weights that it would start from."""
    checkpoint = surrogate.checkpoint
    fresh = fresh_weights(dataclasses.replace(checkpoint.config, seed=seed), checkpoint.vocabulary)[1]
    return Surrogate(dataclasses.replace(checkpoint, weights={name: np.asarray(one) for name, one in fresh.items()}))


def read(networks: Sequence[Surrogate], mouse: Mouse, words: Sequence[str]) -> Read:
    """Core and expectations with these inputs, cores side by side for all networks, expectations averaged.

    The mouse was `introduced` to each network.
    """
    found = [_read(network, mouse, inputs_of(words)) for network in networks]
    core = np.concatenate([one.core for one in found], axis=-1)
    return Read(core, np.mean([one.average_neuron for one in found], axis=0))


def _read(network: Surrogate, mouse: Mouse, inputs: Inputs) -> Read:
    structure, head = network.checkpoint.structure, network.model.head
    session = opened(network.config, [mouse.tree])[0]
    loader = Loader([session], [Parts((), (), session.spans())], network.vocabulary, network.config)

    def run(weights: Any, batch: Batch) -> Any:
        taps = Taps(read=("core",))
        raw = structure.merge(weights)(batch, taps=taps, inputs=inputs)
        return taps.found["core"], head.mean(raw)

    step = jax.jit(run)
    core = np.zeros((*mouse.activity.shape[:2], network.config.model.width))
    expected = np.zeros(mouse.activity.shape)
    weights = {name: np.asarray(one) for name, one in network.checkpoint.weights.items()}
    for batch, items in loader.tiles("test", 64):
        features, means = (np.asarray(one, np.float64) for one in step(weights, batch))
        for number, item in enumerate(items):
            n = item.stop - item.start
            core[item.trial, item.start : item.stop] = features[number, :n]
            expected[item.trial, item.start : item.stop, item.units] = means[number, :n, : len(item.units)].T
    return Read(core, expected)
