"""Spike delivery against a plain event queue, against Brian2's, and through every way that a program runs it."""

import functools
from collections import defaultdict
from typing import Any

import brian2 as b2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from biophys.compiler import delivery
from biophys.compiler.delivery import (
    Connections,
    connect,
    due_in,
    empty_queue,
    for_each_due,
    mask_due,
    push,
    queue_from_raster,
    raster_of,
)
from twin.errors import InputError

# More sources than a round of spikes and than two words hold, and a multiple of neither.
N_SOURCE, N_SYNAPSES, N_DELAYS, N_STEPS = 75, 600, 6, 40


QUEUE = empty_queue(N_SOURCE, N_DELAYS)


def due_by_hand(raster: np.ndarray, source_of: np.ndarray, delay: np.ndarray) -> list[list[int]]:
    """The due synapses of each step, from a queue of future events that is filled spike by spike."""
    arriving = defaultdict(list)
    for step, spiking in enumerate(raster):
        for source in np.flatnonzero(spiking):
            for synapse in np.flatnonzero(source_of == source):
                arriving[step + np.broadcast_to(delay, source_of.shape)[synapse]].append(int(synapse))
    return [arriving[step] for step in range(len(raster))]


@functools.partial(jax.jit, static_argnames="block")
def deliver(raster: Any, connections: Any, queue: Any, first_step: Any = 0, block: int | None = None) -> Any:
    """Every step of a raster: the due synapses in order, how many they are, how often the body ran; and the queue."""
    n_synapses = connections.synapse.shape[0]

    def note(carry: Any, due: Any, valid: Any) -> Any:
        noted, n_due, n_calls = carry
        return lax.dynamic_update_slice(noted, due, (n_due,)), n_due + valid.sum(dtype=jnp.int32), n_calls + 1

    def step(queue: Any, now: Any) -> Any:
        spiking, number = now
        queue = push(queue, spiking, number)
        room = jnp.full(n_synapses + 2048, -1, jnp.int32)
        return queue, for_each_due(queue, connections, number, note, (room, jnp.int32(0), jnp.int32(0)), block)

    steps = jnp.asarray(first_step, jnp.int32) + jnp.arange(raster.shape[0], dtype=jnp.int32)
    return lax.scan(step, queue, (raster, steps))


def delivered(raster: np.ndarray, connections: Connections, run: Any = deliver, **options: Any) -> list[list[int]]:
    _, (noted, n_due, _) = run(jnp.asarray(raster), connections, QUEUE, **options)
    return [row[:n].tolist() for row, n in zip(np.asarray(noted), np.asarray(n_due), strict=True)]


def a_raster(kind: str, n_steps: int = N_STEPS) -> np.ndarray:
    rng = np.random.default_rng(5)
    chance = {"none": 0.0, "sparse": 0.03, "half": 0.5, "all": 1.0}
    each = rng.choice([0.0, 0.02, 0.9, 1.0], (n_steps, 1)) if kind == "bursts" else chance[kind]
    return rng.random((n_steps, N_SOURCE)) < each


def a_pathway(delays: str) -> tuple[np.ndarray, np.ndarray]:
    """Source and delay of synapses in no order; the last ten neurons and every seventh have none."""
    rng = np.random.default_rng(6)
    source_of = rng.choice([k for k in range(N_SOURCE - 10) if k % 7 != 3], N_SYNAPSES)
    return source_of, rng.integers(0, N_DELAYS, N_SYNAPSES) if delays == "mixed" else np.asarray(int(delays))


@pytest.mark.parametrize("kind", ["none", "sparse", "half", "all", "bursts"])
@pytest.mark.parametrize("delays", ["0", "3", "5", "mixed"])
def test_same_synapses_in_the_same_order_as_a_plain_queue(delays: str, kind: str) -> None:
    """Every due synapse is given in its step, once, in order, whatever the delays and the activity are."""
    raster, (source_of, delay) = a_raster(kind), a_pathway(delays)
    assert delivered(raster, connect(source_of, delay, N_SOURCE, N_DELAYS)) == due_by_hand(raster, source_of, delay)


@pytest.mark.parametrize("block", [1, 32, 2048])
def test_any_block_gives_the_same(block: int) -> None:
    """More events than a block holds, more spikes than a round holds, or far fewer: the result is the same."""
    raster, (source_of, delay) = a_raster("bursts"), a_pathway("mixed")
    connections = connect(source_of, delay, N_SOURCE, N_DELAYS)
    assert delivered(raster, connections, block=block) == due_by_hand(raster, source_of, delay)


def test_long_runs_from_any_step() -> None:
    """The ring may wrap hundreds of times, and a run may start at a step that no multiple of its length reaches."""
    raster, (source_of, delay) = a_raster("sparse", 1000), a_pathway("mixed")
    connections, first_step = connect(source_of, delay, N_SOURCE, N_DELAYS), 2**31 - 1001
    assert delivered(raster, connections, first_step=first_step) == due_by_hand(raster, source_of, delay)


def test_every_event_arrives_exactly_once() -> None:
    """Each spike reaches each of its synapses once, and no synapse is due twice in a step."""
    raster, (source_of, delay) = a_raster("bursts"), a_pathway("mixed")
    raster[-N_DELAYS:] = False
    steps = delivered(raster, connect(source_of, delay, N_SOURCE, N_DELAYS))
    n_spikes = raster.sum(axis=0)
    np.testing.assert_array_equal(np.bincount(sum(steps, []), minlength=N_SYNAPSES), n_spikes[source_of])
    assert all(len(set(due)) == len(due) for due in steps)


def test_no_work_without_spikes() -> None:
    """The body runs as often as the events need: never in a silent step, once for a few, never for all synapses."""
    raster, (source_of, delay) = a_raster("sparse"), a_pathway("3")
    connections = connect(source_of, delay, N_SOURCE, N_DELAYS)
    _, (_, n_due, n_calls) = deliver(jnp.asarray(raster), connections, QUEUE)
    assert (np.asarray(n_due) == 0).any() and np.max(n_due) > 20
    np.testing.assert_array_equal(n_calls, np.asarray(n_due) > 0)


@pytest.mark.parametrize("n_source", [1, 32, 65, 2100])
def test_populations_of_any_size(n_source: int) -> None:
    """Who spiked is remembered exactly for sizes around a word, a round and the search's stride."""
    raster = np.random.default_rng(n_source).random((5, n_source)) < np.array([[0.0], [0.01], [0.5], [1.0], [0.3]])

    @jax.jit
    def remembered(raster: Any, queue: Any) -> Any:
        return raster_of(lax.fori_loop(0, 5, lambda step, queue: push(queue, raster[step], step), queue), 4)

    np.testing.assert_array_equal(remembered(jnp.asarray(raster), empty_queue(n_source, 4)), raster[:0:-1])


def test_delays_of_each_synapse_that_are_all_zero() -> None:
    """Delays that are given one by one are right where there is room for no delay at all."""
    raster, (source_of, _) = a_raster("half", 3), a_pathway("0")
    none = np.zeros(N_SYNAPSES, int)
    found = delivered(raster, connect(source_of, none, N_SOURCE, 1))
    assert found == due_by_hand(raster, source_of, none)


def test_connections_without_synapses() -> None:
    """A pathway without synapses leaves everything as it is."""
    connections = connect(np.zeros(0, int), np.asarray(2), N_SOURCE, N_DELAYS)
    queue = push(QUEUE, jnp.ones(N_SOURCE, bool), 0)
    assert for_each_due(queue, connections, 0, lambda carry, due, valid: carry + 1, 7) == 7


@pytest.mark.parametrize("delays", ["3", "mixed"])
def test_traced_connect_equals_numpy_connect(delays: str) -> None:
    """Delays that are parameters give the same arrays as delays that are known."""
    source_of, delay = a_pathway(delays)
    known = connect(source_of, delay, N_SOURCE, N_DELAYS)
    traced = jax.jit(lambda delay: connect(source_of, delay, N_SOURCE, N_DELAYS))(delay)
    for one, other in zip(known, traced, strict=True):
        assert isinstance(one, np.ndarray) and one.dtype == other.dtype == np.int32
        np.testing.assert_array_equal(one, other)


def test_batches_of_trials_and_of_delays() -> None:
    """Under vmap, trials with different spikes and different delays are what each is alone."""
    source_of, _ = a_pathway("mixed")
    rasters = np.stack([a_raster(kind) for kind in ("none", "sparse", "bursts")])
    delays = np.random.default_rng(1).integers(0, N_DELAYS, (3, N_SYNAPSES))

    def one(raster: Any, delay: Any) -> Any:
        connections = connect(source_of, delay, N_SOURCE, N_DELAYS)
        return deliver(raster, connections, QUEUE)[1]

    noted, n_due, _ = (np.asarray(x) for x in jax.jit(jax.vmap(one))(jnp.asarray(rasters), jnp.asarray(delays)))
    for trial in range(3):
        wanted = due_by_hand(rasters[trial], source_of, delays[trial])
        assert [row[:n].tolist() for row, n in zip(noted[trial], n_due[trial], strict=True)] == wanted


@pytest.mark.parametrize("later", [0, 3])
def test_saved_and_restored_in_the_middle(later: int) -> None:
    """A run goes on from the raster of its queue, also when its clock is set to another step."""
    raster, (source_of, delay) = a_raster("bursts"), a_pathway("mixed")
    connections = connect(source_of, delay, N_SOURCE, N_DELAYS)
    half = N_STEPS // 2
    queue, _ = deliver(jnp.asarray(raster[:half]), connections, QUEUE)
    saved = np.asarray(jax.jit(raster_of)(queue, half - 1))
    np.testing.assert_array_equal(saved, raster[half - 1 : half - 1 - N_DELAYS : -1])
    restored = jax.jit(queue_from_raster)(saved, half - 1 + later)
    _, (noted, n_due, _) = deliver(jnp.asarray(raster[half:]), connections, restored, half + later)
    found = [row[:n].tolist() for row, n in zip(np.asarray(noted), np.asarray(n_due), strict=True)]
    assert found == due_by_hand(raster, source_of, delay)[half:]


@pytest.mark.parametrize("delays", ["3", "mixed"])
def test_masks_tell_the_same(delays: str) -> None:
    """The mask of due synapses and the look-up in a dense history agree with the plain queue."""
    raster, (source_of, delay) = a_raster("bursts"), a_pathway(delays)
    connections = connect(source_of, delay, N_SOURCE, N_DELAYS)

    def step(queue: Any, now: Any) -> Any:
        queue = push(queue, *now)
        return queue, (mask_due(queue, connections, now[1]), due_in(raster_of(queue, now[1]), source_of, delay))

    steps = jnp.arange(N_STEPS, dtype=jnp.int32)
    _, (masks, looked_up) = jax.jit(lambda *now: lax.scan(step, QUEUE, now))(jnp.asarray(raster), steps)
    wanted = np.array([np.isin(np.arange(N_SYNAPSES), due) for due in due_by_hand(raster, source_of, delay)])
    np.testing.assert_array_equal(masks, wanted)
    np.testing.assert_array_equal(looked_up, wanted)


def test_graded_spikes_pass_their_derivative() -> None:
    """What arrives from a history of graded spikes has the derivative that says which synapses it reached."""
    source_of, delay = a_pathway("mixed")
    history = jnp.asarray(np.random.default_rng(2).random((N_DELAYS, N_SOURCE)))
    slope = jax.grad(lambda history: due_in(history, source_of, delay).sum())(history)
    reached = np.zeros((N_DELAYS, N_SOURCE))
    np.add.at(reached, (delay, source_of), 1)
    np.testing.assert_array_equal(slope, reached)


def test_a_derivative_rule_of_ones_own() -> None:
    """With `mask_due` in the rule, reverse mode gives each weight the number of its events."""
    raster, (source_of, delay) = a_raster("sparse"), a_pathway("mixed")
    connections = connect(source_of, delay, N_SOURCE, N_DELAYS)
    target_of = np.random.default_rng(3).integers(0, N_SOURCE, N_SYNAPSES)

    @jax.custom_jvp
    def arrive(g: Any, w: Any, queue: Any, step: Any) -> Any:
        def add(g: Any, due: Any, valid: Any) -> Any:
            to = jnp.asarray(target_of).at[due].get(mode="fill", fill_value=N_SOURCE)
            return g.at[to].add(w.at[due].get(mode="fill", fill_value=0.0), mode="drop")

        return for_each_due(queue, connections, step, add, g)

    @arrive.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        (_, _, queue, step), (dg, dw, _, _) = primals, tangents
        arriving = jnp.where(mask_due(queue, connections, step), dw, 0.0)
        return arrive(*primals), dg.at[target_of].add(arriving)

    def total(w: Any) -> Any:
        def step(carry: Any, now: Any) -> Any:
            queue, g = carry
            queue = push(queue, *now)
            return (queue, arrive(g, w, queue, now[1])), None

        steps = jnp.arange(N_STEPS, dtype=jnp.int32)
        start = (QUEUE, jnp.zeros(N_SOURCE))
        return lax.scan(step, start, (jnp.asarray(raster), steps))[0][1].sum()

    n_events = np.bincount(sum(due_by_hand(raster, source_of, delay), []), minlength=N_SYNAPSES)
    np.testing.assert_array_equal(jax.jit(jax.grad(total))(jnp.ones(N_SYNAPSES)), n_events)


def test_closed_loop_with_autapses() -> None:
    """Neurons that drive each other and themselves spike as in a plain loop over events, to the last bit."""
    rng = np.random.default_rng(8)
    n, n_synapses, n_steps = 40, 400, 200
    source_of, target_of = rng.integers(0, n, (2, n_synapses))
    target_of[:40] = source_of[:40]
    delay, weight = rng.integers(0, N_DELAYS, n_synapses), rng.normal(0.02, 0.1, n_synapses)
    drive, v0 = rng.uniform(0.0, 0.06, n), rng.random(n)

    v, arriving, wanted = v0.copy(), defaultdict(list), []
    for step in range(n_steps):
        v = v + drive
        spiking = v > 1.0
        wanted.append(spiking)
        for source in np.flatnonzero(spiking):
            for synapse in np.flatnonzero(source_of == source):
                arriving[step + delay[synapse]].append(synapse)
        for synapse in arriving[step]:
            v[target_of[synapse]] += weight[synapse]
        v = np.where(spiking, 0.0, v)

    connections = connect(source_of, delay, n, N_DELAYS)

    def one_step(carry: Any, step: Any) -> Any:
        queue, v = carry
        v = v + drive
        spiking = v > 1.0
        queue = push(queue, spiking, step)

        def add(v: Any, due: Any, valid: Any) -> Any:
            to = jnp.asarray(target_of).at[due].get(mode="fill", fill_value=n)
            return v.at[to].add(jnp.asarray(weight).at[due].get(mode="fill", fill_value=0.0), mode="drop")

        v = for_each_due(queue, connections, step, add, v)
        return (queue, jnp.where(spiking, 0.0, v)), spiking

    start = (empty_queue(n, N_DELAYS), jnp.asarray(v0))
    (_, v_end), spikes = jax.jit(lambda start: lax.scan(one_step, start, jnp.arange(n_steps, dtype=jnp.int32)))(start)
    assert np.sum(wanted) > 200
    np.testing.assert_array_equal(spikes, wanted)
    np.testing.assert_array_equal(v_end, v)


def test_order_of_brian2s_queue() -> None:
    """Statements that depend on their order give Brian2's result: the last event of a step is the one that stays."""
    raster, (source_of, delay) = a_raster("half"), a_pathway("mixed")
    dt = 0.1 * b2.ms
    times, sources = np.nonzero(raster)
    spikes = b2.SpikeGeneratorGroup(N_SOURCE, sources, times * dt, dt=dt)
    target = b2.NeuronGroup(5, "last : 1", dt=dt)
    synapses = b2.Synapses(spikes, target, "mark : 1", on_pre="last_post = mark", dt=dt)
    target_of = np.arange(N_SYNAPSES) % 5
    synapses.connect(i=source_of, j=target_of)
    synapses.mark, synapses.delay = np.arange(N_SYNAPSES), delay * dt
    monitor = b2.StateMonitor(target, "last", record=True, when="end", dt=dt)
    b2.Network(spikes, target, synapses, monitor).run(N_STEPS * dt, namespace={})

    last, wanted = np.zeros(5), monitor.last.T
    for step, due in enumerate(delivered(raster, connect(source_of, delay, N_SOURCE, N_DELAYS))):
        for synapse in due:
            last[target_of[synapse]] = synapse
        np.testing.assert_array_equal(last, wanted[step])


def test_a_planted_defect_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that ends too early, a ring that is too short and a loop that stops after a round all show."""
    raster, (source_of, delay) = a_raster("bursts"), a_pathway("mixed")
    connections, wanted = connect(source_of, delay, N_SOURCE, N_DELAYS), due_by_hand(raster, source_of, delay)
    late = connections.start.copy()
    late[N_SOURCE * 3 :] -= 1
    assert delivered(raster, connections._replace(start=late)) != wanted
    assert delivered(raster, connections._replace(shortest=np.int32(1))) != wanted

    def one_round(condition: Any, body: Any, state: Any) -> Any:
        return lax.cond(condition(state), body, lambda state: state, state)

    monkeypatch.setattr(delivery.lax, "while_loop", one_round)
    traced_again = jax.jit(lambda *arguments: deliver.__wrapped__(*arguments))
    assert delivered(raster, connections, run=traced_again) != wanted


def test_in_32_bits() -> None:
    """Nothing depends on JAX's 64-bit mode."""
    raster, (source_of, delay) = a_raster("bursts"), a_pathway("mixed")
    with jax.enable_x64(False):
        found = delivered(raster, connect(source_of, delay, N_SOURCE, N_DELAYS))
    assert found == due_by_hand(raster, source_of, delay)


def test_lowers_for_accelerators() -> None:
    """The same program is lowered for GPUs and TPUs, of XLA operations alone."""
    source_of, delay = a_pathway("mixed")
    connections, raster = connect(source_of, delay, N_SOURCE, N_DELAYS), jnp.asarray(a_raster("sparse"))
    arguments = (raster, connections, QUEUE)
    exported = jax.export.export(jax.jit(lambda *arguments: deliver(*arguments)[1][1]), platforms=["cuda", "tpu"])
    assert "custom_call" not in exported(*arguments).mlir_module()


@pytest.mark.parametrize(
    ("source_of", "delay", "message"),
    [
        ([0, 3], [0, 0], "source 3; wanted 0 to 2"),
        ([0, -1], [0, 0], "source -1"),
        ([0, 1], [0, 4], "delay 4; wanted 0 to 3"),
        ([0, 1], -1, "delay -1"),
    ],
)
def test_refuses_what_is_out_of_range(source_of: list[int], delay: Any, message: str) -> None:
    """A source or a delay that the queue has no place for is an error, not a lost event."""
    with pytest.raises(InputError, match=message):
        connect(np.array(source_of), np.asarray(delay), 3, 4)


def test_refuses_tables_beyond_int32() -> None:
    """Too many pairs of source and delay are refused before any memory is taken."""
    with pytest.raises(InputError, match="too many pairs"):
        connect(np.array([0]), np.array([1]), 2**27, 16)
