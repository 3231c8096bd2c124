"""A population of parameter sets of one model on all sweeps at once, as one loop over time that keeps only sums.

The population is the inner axis of every array and the sweeps the outer one: each sweep's current is then one number
for a whole row of cells. That runs 1.5 to 8 times as fast on a CPU as the other arrangements (`docs/calibration.md`).
"""

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple, Protocol, runtime_checkable

import brian2
import jax
import jax.numpy as jnp
import numpy as np
from brian2.units.fundamentalunits import get_unit
from jax import Array

from biophys.calibrate.observer import Observer
from biophys.compiler import Program, compile_network
from biophys.compiler.program import Probe
from biophys.models.model import NeuronModel
from biophys.observation import UNITS as OBSERVED
from twin.errors import InputError

CELL = "cell"
FORCED = "forced_spike"
SPIKE = f"{CELL}.spike"
_NA = 1e-9
_MV = 1e3
_INITIAL = "initial_"


class Seen(NamedTuple):
    """What a population shows in one step of one sweep; None where it was not asked for.

    Attributes:
        voltage_mv: at the start of the step, as the amplifier shows it: (n,).
        spike: whether the threshold is crossed in the step: (n,).
        hazard_hz: the hazard when the threshold is looked at, before any reset; 0 while refractory: (n,).
    """

    voltage_mv: Array
    spike: Array
    hazard_hz: Array | None


@runtime_checkable
class Fold(Protocol):
    """What is done with a population's responses, step by step, without keeping them."""

    def start(self, facts: Mapping[str, Array], n: int, dtype: Any) -> Any:
        """Before the first step of one sweep."""

    def add(self, carry: Any, seen: Seen, row: Mapping[str, Array]) -> Any:
        """After one step, whose numbers of each tape are in `row`."""


class Tapes(NamedTuple):
    """What is the same for the whole population.

    Attributes:
        current_na: (sweep, time).
        forced: (sweep, time): where every cell spikes, or None where spikes are the model's own.
        ceiling_mv: (sweep,): where a model with a reset is held, whose upswing nothing else stops if spikes are forced.
        rows: of each fold, numbers for each step: name -> (sweep, time).
        facts: of each fold, other arrays: name -> (sweep, ...).
    """

    current_na: Array
    forced: Array | None
    ceiling_mv: Array
    rows: tuple[Mapping[str, Array], ...]
    facts: tuple[Mapping[str, Array], ...]


class _Rows(NamedTuple):
    """What of the tapes has one number for each step."""

    current_na: Array
    forced: Array | None
    rows: tuple[Mapping[str, Array], ...]


@dataclasses.dataclass(frozen=True)
class Simulator:
    """One model, compiled for n parameter sets.

    Attributes:
        model: any `NeuronModel`.
        dt_s: step, s.
        n: parameter sets in a batch.
        dtype: numpy.float32 or float64.
        forced: whether spikes are given, and every cell is reset where the recorded one spiked, whatever its own
            threshold says; or the model's own.
        hazard: variable or subexpression that is the hazard of an escape-noise model, per second.
        observer: what the amplifier shows of the voltage.
        settle_steps: how long the first current is held before the first sample.
        spike_gradient: derivative of a spike, see `biophys.compile_network`; None for none.
    """

    model: NeuronModel
    dt_s: float
    n: int
    dtype: Any = np.float32
    forced: bool = False
    hazard: str | None = None
    observer: Observer = dataclasses.field(default_factory=lambda: Observer(None))
    settle_steps: int = 0
    spike_gradient: Any = None

    @cached_property
    def program(self) -> Program:
        """The compiled cells.

        Raises:
            InputError: the model has no such voltage, current or hazard.
        """
        group = self._group()
        network = brian2.Network(group)
        group._network = network.id  # or Brian2 warns that a group was made and never run, which is so on purpose
        inputs = (*self.model.inputs, *((FORCED,) if self.forced else ()))
        gradient = None if self.forced else self.spike_gradient
        return compile_network(
            network, {}, dtype=self.dtype, inputs=[f"{CELL}.{name}" for name in inputs], spike_gradient=gradient
        )

    def _group(self) -> brian2.NeuronGroup:
        model, parsed = self.model, brian2.Equations(self.model.equations)
        for name, what in ((model.voltage, "voltage"), (model.current, "current"), (self.hazard, "hazard")):
            if name is not None and name not in parsed:
                raise InputError(
                    f"{model.name} has no variable {name!r}, which is its {what}; it has "
                    f"{', '.join(sorted(parsed.names))}."
                )
        if parsed[model.current].dim is not brian2.amp.dim or model.current not in model.inputs:
            raise InputError(
                f"{model.name}: the current {model.current} must be one of its inputs, in amp; divide it by the area "
                "in the equations where it is a density."
            )
        text = model.equations
        for name, expression in model.initial.items():
            text += f"\n{_INITIAL}{name} = {expression} : {get_unit(parsed[name].dim)!r}"
        threshold, reset, refractory = model.threshold or None, model.reset or None, model.refractory
        if self.forced:
            text, threshold = f"{text}\n{FORCED} : 1", f"{FORCED} > 0.5"
        group = brian2.NeuronGroup(
            self.n,
            text,
            threshold=threshold,
            reset=reset if threshold else None,
            refractory=refractory if threshold else False,
            method=model.method,
            dt=self.dt_s * brian2.second,
            name=CELL,
            namespace={},
        )
        for parameter in model.parameters:
            group.variables[parameter.name].set_value(parameter.value * parameter.scale)
        return group

    def run(
        self, values: Mapping[str, Array], tapes: Tapes, folds: tuple[Fold, ...], key: Any, checkpoint: bool
    ) -> Any:
        """All sweeps of a population; pure.

        Args:
            values: parameter or quantity of the observation model -> (n,), in the model's units.
            tapes: of all sweeps.
            folds: what is done with the responses.
            key: for a model with noise; every sweep and step derives its own. None otherwise.
            checkpoint: keep few states for the backward pass of a gradient, and compute the others again.

        Returns:
            What each fold has at the end, with the sweep as first axis; and which parameter sets stayed finite: (n,).
        """
        program = self.program
        params = {
            f"{CELL}.{name}": value * self.model.parameter(name).scale
            for name, value in values.items()
            if name not in OBSERVED
        }
        shown = {name: jnp.asarray(value, self.dtype) for name, value in self.observer.params(values).items()}
        constants = program.constants(params, {f"{CELL}.{name}": 0.0 for name in self.model.inputs})
        start = self._start(program, constants, key)

        def sweep(tapes: Tapes, number: Array) -> Any:
            return self._sweep(program, constants, start, shown, tapes, folds, number, checkpoint)

        numbers = jnp.arange(tapes.current_na.shape[0], dtype=jnp.uint32)
        carries, finite = jax.vmap(sweep)(tapes, numbers)
        return carries, finite.all(axis=0)

    def _start(self, program: Program, constants: Mapping[str, Array], key: Any) -> dict[str, Array]:
        """The initial state, whose expressions follow the parameters; a later one sees the earlier ones."""
        state = program.init(key if program.is_random else None)
        for name in self.model.initial:
            cell = program.scopes[CELL].at({**constants, **state})
            state[f"{CELL}.{name}"] = program.states[f"{CELL}.{name}"].fit(cell[f"{_INITIAL}{name}"])
        return state

    def _sweep(self, program, constants, start, shown, tapes, folds, number, checkpoint):
        state = dict(start)
        if program.is_random:
            state["key"] = jax.random.fold_in(state["key"], number)
        inputs = self._inputs(program, tapes.current_na[0], None)
        if self.settle_steps:
            settle = lambda state, _: (program.advance({**constants, **state, **inputs})[0], None)  # noqa: E731
            state = jax.lax.scan(settle, state, None, self.settle_steps)[0]
        probes = self._probes(program)
        v_mv = jnp.asarray(_MV, self.dtype) * state[f"{CELL}.{self.model.voltage}"]
        electrode = self.observer.start(v_mv, tapes.current_na[0], shown)
        carries = tuple(fold.start(facts, self.n, self.dtype) for fold, facts in zip(folds, tapes.facts, strict=True))

        def body(carry, row):
            state, electrode, carries = carry
            world = {**constants, **state, **self._inputs(program, row.current_na, row.forced)}
            state, seen = program.advance(world, probes)
            state = self._held(state, tapes.ceiling_mv)
            v_mv = jnp.asarray(_MV, self.dtype) * seen["voltage"]
            electrode, as_shown = self.observer.show(electrode, v_mv, row.current_na, shown)
            spike = seen.get(SPIKE, jnp.zeros(self.n, bool))
            response = Seen(as_shown, spike, seen.get("hazard"))
            carries = tuple(
                fold.add(one, response, own) for fold, one, own in zip(folds, carries, row.rows, strict=True)
            )
            return (state, electrode, carries), None

        rows = _Rows(tapes.current_na, tapes.forced, tapes.rows)
        state, _, carries = segmented_scan(body, (state, electrode, carries), rows, checkpoint)
        return carries, self._finite(program, state)

    def _held(self, state: dict[str, Array], ceiling_mv: Array) -> dict[str, Array]:
        """The state with the voltage below the ceiling, where no threshold of the model's own keeps it there."""
        if not (self.forced and self.model.reset):
            return state
        voltage = f"{CELL}.{self.model.voltage}"
        return state | {voltage: jnp.minimum(state[voltage], ceiling_mv / _MV)}

    def _inputs(self, program: Program, current_na: Array, forced: Array | None) -> dict[str, Array]:
        current = f"{CELL}.{self.model.current}"
        inputs = {current: program.inputs[current].fit(current_na * jnp.asarray(_NA, self.dtype))}
        if self.forced:
            key = f"{CELL}.{FORCED}"
            inputs[key] = program.inputs[key].fit(0.0 if forced is None else forced.astype(self.dtype))
        return inputs

    def _probes(self, program: Program) -> tuple[Probe, ...]:
        cell, voltage = program.scopes[CELL], self.model.voltage

        def look(name: str, world: Mapping[str, Array]) -> Array:
            return jnp.broadcast_to(cell.at(world)[name], (self.n,))

        probes = [Probe(program.n_before_start, lambda world: {"voltage": look(voltage, world)})]
        raised = [position for position, one in enumerate(program.operations) if one.raises == SPIKE]
        if raised:
            probes.append(Probe(len(program.operations), lambda world: {SPIKE: world[SPIKE]}))
        if self.hazard is not None:
            hazard, place = self.hazard, raised[0] if raised else len(program.operations)
            probes.append(Probe(place, lambda world: {"hazard": self._can_spike(program, world, look(hazard, world))}))
        return tuple(probes)

    def _can_spike(self, program: Program, world: Mapping[str, Array], hazard: Array) -> Array:
        """The hazard, and none while the cell is refractory: Brian2 looks at no threshold then, so nothing survives."""
        if self.model.refractory is False:
            return hazard
        free = jnp.broadcast_to(program.scopes[CELL].at(world)["not_refractory"], (self.n,))
        return jnp.where(free, hazard, jnp.zeros_like(hazard))

    def _finite(self, program: Program, state: Mapping[str, Array]) -> Array:
        """Which cells have numbers in every variable at the end: what is once no number stays none."""
        numbers = [state[name] for name, one in program.states.items() if one.value.dtype == program.dtype]
        return jnp.stack([jnp.broadcast_to(jnp.isfinite(one), (self.n,)) for one in numbers]).all(axis=0)


def segmented_scan(body: Any, carry: Any, rows: Any, checkpoint: bool) -> Any:
    """`jax.lax.scan` for its last carry; with `checkpoint` it keeps about one carry in sqrt(n) for a backward pass."""
    n_steps = jax.tree.leaves(rows)[0].shape[0]
    if not checkpoint:
        return jax.lax.scan(body, carry, rows)[0]
    inner = max(int(np.sqrt(n_steps)), 1)
    whole = n_steps // inner * inner
    step = jax.checkpoint(body, prevent_cse=False)

    @jax.checkpoint
    def segment(carry: Any, rows: Any) -> tuple[Any, None]:
        return jax.lax.scan(step, carry, rows)[0], None

    folded = jax.tree.map(lambda row: row[:whole].reshape(-1, inner, *row.shape[1:]), rows)
    carry = jax.lax.scan(segment, carry, folded)[0]
    return jax.lax.scan(step, carry, jax.tree.map(lambda row: row[whole:], rows))[0] if whole < n_steps else carry
