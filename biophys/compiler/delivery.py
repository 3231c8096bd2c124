"""Spike delivery: which synapses are due in a step, found at a cost that grows with activity, not with their number.

A `Queue` remembers who spiked in the last steps, as lists of neurons; all pathways with the same source share it. The
`Connections` of a pathway tell which synapses a spike of some age reaches. In every step, the spikes are `push`ed
once, and then `for_each_due` hands the due synapses of each pathway, block after block, to the pathway's code.

Everything has a fixed shape and nothing is ever dropped: a busy step takes more rounds of the same loops.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Bool, Int, Int32, Shaped, UInt32

from twin.errors import InputError

Carry = TypeVar("Carry")
Step: TypeAlias = Int[Array, ""] | int

_SPIKES_PER_ROUND = 64
_BITS = 32  # neurons in one word of a packed mask


class Queue(NamedTuple):
    """The spikes of one population in the last steps.

    Attributes:
        source: Int32[delay, source], a ring with one slot for each step; the neurons that spiked, in ascending order,
            come first, and what lies behind them means nothing.
        n_spikes: Int32[delay], how many.
    """

    source: Array
    n_spikes: Array


class Connections(NamedTuple):
    """The synapses of one pathway, in rows that fall due together.

    Attributes:
        synapse: Int32[synapse], the synapses in order of source, then delay, then index.
        start: Int32[row + 1], where in `synapse` each row starts and the last one ends. Every source has a row for
            each delay, or a single one if all delays are equal.
        shortest: Int32[], the delay of the first row of every source, in steps.
    """

    synapse: Array | np.ndarray
    start: Array | np.ndarray
    shortest: Array | np.ndarray


def connect(
    source_of: Int[Array | np.ndarray, "synapse"],
    delay_steps: Int[Array | np.ndarray, "..."] | int,
    n_source: int,
    n_delays: int,
) -> Connections:
    """The connections of a pathway: NumPy arrays, or traced ones where an argument is traced.

    Args:
        source_of: the source neuron of each synapse, in `range(n_source)`.
        delay_steps: of each synapse, (synapse,), or () if all are equal, which is faster; in `range(n_delays)`.
            Traced values cannot be checked here: check them before they are traced.
        n_source: neurons in the source population.
        n_delays: the longest delay that the queue supports, plus one.

    Raises:
        InputError: a source or a delay is out of range, or there are too many pairs of both for int32 indices.
    """
    equal = np.ndim(delay_steps) == 0
    per_source = 1 if equal else n_delays
    if n_source * per_source >= 2**31:
        raise InputError(
            f"{n_source} sources with {n_delays} different delays are too many pairs to index with int32; give all"
            " synapses the same delay, use a longer time step, or split the source population."
        )
    _require_range("source", source_of, n_source)
    _require_range("delay", delay_steps, n_delays)
    traced = isinstance(source_of, jax.core.Tracer) or isinstance(delay_steps, jax.core.Tracer)
    xp = jnp if traced else np
    row = xp.asarray(source_of, np.int32) * per_source + xp.asarray(0 if equal else delay_steps, np.int32)
    synapse = xp.argsort(row, stable=True).astype(np.int32)
    start = xp.searchsorted(row[synapse], xp.arange(n_source * per_source + 1, dtype=np.int32)).astype(np.int32)
    return Connections(synapse, start, xp.asarray(delay_steps if equal else 0, np.int32))


def _require_range(what: str, values: Array | np.ndarray | int, end: int) -> None:
    if isinstance(values, jax.core.Tracer) or np.size(values) == 0:
        return
    lowest, highest = np.min(values), np.max(values)
    if lowest < 0 or highest >= end:
        raise InputError(
            f"A synapse has {what} {lowest if lowest < 0 else highest}; wanted 0 to {end - 1}, so correct the"
            f" {what} of the synapses or make room for it."
        )


def empty_queue(n_source: int, n_delays: int) -> Queue:
    """A queue without spikes.

    Args:
        n_source: neurons in the source population, at least 1.
        n_delays: the longest delay of all pathways of this source, in steps, plus one; 1 if there are no delays.
    """
    return Queue(jnp.zeros((n_delays, n_source), jnp.int32), jnp.zeros(n_delays, jnp.int32))


def push(queue: Queue, spiking: Bool[Array, "source"], step: Step) -> Queue:
    """Adds the spikes of a step, in place of those that are too old to matter.

    The mask is packed into words of 32 neurons; the k-th spike is then found by its rank among the words and the bits
    of one word, which is an order of magnitude faster than a running sum over neurons (`jnp.nonzero`).

    Args:
        queue: with the spikes of the steps before.
        spiking: who spikes in this step.
        step: its number. Every step is pushed, one after the other.
    """
    n_delays, n_source = queue.source.shape
    n_round = min(_SPIKES_PER_ROUND, n_source)
    slot = _as_int32(step) % n_delays
    words = _packed(spiking)
    in_word = lax.population_count(words).astype(jnp.int32)
    until = lax.cumsum(in_word)

    def write_round(state: tuple[Array, Array]) -> tuple[Array, Array]:
        written, source = state
        first = jnp.minimum(written, n_source - n_round)  # the last round repeats some rather than overrun the slot
        rank = first + jnp.arange(n_round, dtype=jnp.int32)
        word = _holder(until, rank)
        bit = _nth_set_bit(_take(words, word), rank - _take(until - in_word, word))
        found = (word * _BITS + bit)[None]
        return written + n_round, lax.dynamic_update_slice(source, found, (slot, first))

    _, source = lax.while_loop(lambda state: state[0] < until[-1], write_round, (jnp.int32(0), queue.source))
    return Queue(source, queue.n_spikes.at[slot].set(until[-1]))


def for_each_due(
    queue: Queue,
    connections: Connections,
    step: Step,
    body: Callable[[Carry, Int32[Array, "block"], Bool[Array, "block"]], Carry],
    carry: Carry,
    block: int | None = None,
) -> Carry:
    """Runs a pathway's code on all synapses that are due: those whose source spiked their delay ago.

    Each due synapse is given exactly once, in the order of Brian2's queue: the oldest spikes first, those of one step
    by source, the synapses of one source by index. Without due synapses the code does not run at all.

    A body that reads a variable of the carry and also sets it should set `jnp.where(valid, new, read)`. The value that
    was read then has to be known before it is overwritten; without this, XLA may copy the whole variable each time.

    Loops of unknown length have no reverse-mode derivative; `mask_due` is there for a derivative rule of one's own.

    Args:
        queue: after the `push` of this step.
        connections: of the pathway; their delays fit into the queue.
        step: the step that was pushed last.
        body: (carry, synapses, valid) -> carry. Entries that are not valid come last and have the index `n_synapses`,
            which is out of range: scatter with `mode="drop"`, gather with `mode="fill"` or `mode="clip"`.
        carry: what the code reads and writes, any pytree.
        block: synapses in one call of `body`; by default what 20 Hz give in a step of 0.05 ms, within 128 to 2048.
    """
    n_synapses, n_rows = connections.synapse.shape[0], connections.start.shape[0] - 1
    if n_synapses == 0:
        return carry
    n_block = block or int(np.clip(2 ** int(np.ceil(np.log2(n_synapses / 1000))), 128, 2048))
    n_round = max(8, min(n_block, n_block * n_rows // n_synapses))  # spikes, so that their synapses fill a block
    n_spikes, row_of = _due_rows(queue, connections, _as_int32(step))
    synapse, start = jnp.asarray(connections.synapse), jnp.asarray(connections.start)

    def deliver_rows(state: tuple[Array, Carry]) -> tuple[Array, Carry]:
        first, carry = state
        rank = first + jnp.arange(n_round, dtype=jnp.int32)
        row = jnp.where(rank < n_spikes, row_of(rank), 0)
        begin, end = jax.vmap(lambda k: lax.dynamic_slice(start, (k,), (2,)))(row).T
        length = jnp.where(rank < n_spikes, end - begin, 0)
        until = lax.cumsum(length)
        offset = begin + length - until  # from an event's number in this round to its place in `synapse`

        def deliver_block(state: tuple[Array, Carry]) -> tuple[Array, Carry]:
            delivered, carry = state
            event = delivered + jnp.arange(n_block, dtype=jnp.int32)
            valid = event < until[-1]
            place = jnp.minimum(event + _take(offset, _holder(until, event)), n_synapses - 1)
            due = jnp.where(valid, _take(synapse, place), n_synapses)
            return delivered + n_block, body(carry, due, valid)

        _, carry = lax.while_loop(lambda state: state[0] < until[-1], deliver_block, (jnp.int32(0), carry))
        return first + n_round, carry

    return lax.while_loop(lambda state: state[0] < n_spikes, deliver_rows, (jnp.int32(0), carry))[1]


def _due_rows(queue: Queue, connections: Connections, step: Array) -> tuple[Array, Callable[[Array], Array]]:
    """How many spikes have an age that is a delay of the pathway, and which row the k-th of them makes due."""
    n_delays, n_source = queue.source.shape
    per_source = (connections.start.shape[0] - 1) // n_source
    column = jnp.arange(per_source - 1, -1, -1, dtype=jnp.int32)  # oldest first
    slot = (step - connections.shortest - column) % n_delays
    in_slot = _take(queue.n_spikes, slot)
    until, sources = lax.cumsum(in_slot), queue.source.reshape(-1)

    def row_of(rank: Array) -> Array:
        k = _holder(until, rank)
        place = _take(slot, k) * n_source + rank - _take(until - in_slot, k)
        return _take(sources, jnp.minimum(place, sources.shape[0] - 1)) * per_source + _take(column, k)

    return until[-1], row_of


def mask_due(queue: Queue, connections: Connections, step: Step) -> Bool[Array, "synapse"]:
    """Which synapses are due, as a mask: the same ones that `for_each_due` gives.

    For a `jax.custom_jvp`: if a pathway does `g_post += w`, the tangent of `g` gains that of `w` at these synapses.
    """
    none = jnp.zeros(connections.synapse.shape[0], bool)
    return for_each_due(queue, connections, step, lambda mask, due, valid: mask.at[due].set(valid, mode="drop"), none)


def due_in(
    raster: Shaped[Array, "delay source"],
    source_of: Int[Array | np.ndarray, "synapse"],
    delay_steps: Int[Array | np.ndarray, "..."] | int,
) -> Shaped[Array, "synapse"]:
    """What arrives at each synapse, looked up in a dense history, at a cost that grows with the number of synapses.

    Args:
        raster: `raster_of` a queue; or graded (surrogate) spikes, through which this is differentiable.
        source_of: the source neuron of each synapse.
        delay_steps: of each synapse, (synapse,), or () if all are equal.
    """
    return raster[jnp.asarray(delay_steps), jnp.asarray(source_of)]


def raster_of(queue: Queue, step: Step) -> Bool[Array, "delay source"]:
    """Who spiked how many steps ago: row 0 is the step that was pushed last, `step`. For saving and inspection."""
    n_delays, n_source = queue.source.shape
    slot = (_as_int32(step) - jnp.arange(n_delays, dtype=jnp.int32)) % n_delays
    listed = jnp.arange(n_source, dtype=jnp.int32)[None, :] < queue.n_spikes[slot][:, None]
    source = jnp.where(listed, queue.source[slot], n_source)
    return jax.vmap(lambda row: jnp.zeros(n_source, bool).at[row].set(True, mode="drop"))(source)


def queue_from_raster(raster: Bool[Array | np.ndarray, "delay source"], step: Step) -> Queue:
    """The queue whose `raster_of` this is; the next step to push is `step + 1`."""
    spikes, last, empty = jnp.asarray(raster), _as_int32(step), empty_queue(raster.shape[1], raster.shape[0])
    return lax.fori_loop(0, len(raster), lambda age, queue: push(queue, spikes[age], last - age), empty)


def _as_int32(step: Step) -> Int32[Array, ""]:
    return jnp.asarray(step, jnp.int32)


def _packed(mask: Bool[Array, "source"]) -> UInt32[Array, "word"]:
    """A mask as words: neuron `32 * k + b` is bit b of word k."""
    bits = jnp.pad(mask, (0, -mask.shape[0] % _BITS)).reshape(-1, _BITS).astype(jnp.uint32)
    return (bits << jnp.arange(_BITS, dtype=jnp.uint32)[None, :]).sum(axis=1, dtype=jnp.uint32)


def _nth_set_bit(word: UInt32[Array, "k"], n: Int32[Array, "k"]) -> Int32[Array, "k"]:
    """Position of the n-th set bit, counted from 0; bisects the word by the number of bits in its lower half."""
    position = jnp.zeros_like(n)
    for half in (16, 8, 4, 2, 1):
        below = lax.population_count(word & jnp.uint32((1 << half) - 1)).astype(jnp.int32)
        above = n >= below
        n = jnp.where(above, n - below, n)
        word = jnp.where(above, word >> jnp.uint32(half), word)
        position = jnp.where(above, position + half, position)
    return position


def _holder(until: Int32[Array, "container"], rank: Int32[Array, "k"]) -> Int32[Array, "k"]:
    """Which container holds the item of a rank, when `until` items are in it and those before; the last one if none.

    Compares with every 16th container and bisects the 16 that are left: fewer steps than to bisect them all, less work
    than to compare with them all.
    """
    last = until.shape[0] - 1
    stride = 16 if last >= 64 else 1
    passed = (until[stride - 1 :: stride, None] <= rank[None, :]).sum(axis=0, dtype=jnp.int32) * stride
    half = stride // 2
    while half:
        probe = jnp.minimum(passed + (half - 1), last)
        passed = jnp.where(_take(until, probe) <= rank, probe + 1, passed)
        half //= 2
    return jnp.minimum(passed, last)


def _take(values: Array, index: Array) -> Array:
    return values.at[index].get(mode="promise_in_bounds", wrap_negative_indices=False)
