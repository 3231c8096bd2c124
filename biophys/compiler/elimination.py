"""The voltages of a tree of conductances, solved directly, for one tree or a batch of them.

A node with one or two neighbours is a star of conductances, and goes by the star-mesh transform: its neighbours share
what leaks from it and what flows into it. Nothing is ever subtracted, so that float32 keeps its digits even where a
branch conducts a million times better than its neighbours. In which order nodes go depends on where this runs:

- on a CPU the tips of the tree go first, one after the other, which XLA compiles to a plain loop (Hines 1984, Int J
  Biomed Comput 15:69); for a larger batch several at once, because a pass through the loop then costs more than its
  arithmetic;
- elsewhere every second node of a chain goes in the same round, so that n nodes take about 2 log2(n) rounds.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.custom_batching import custom_vmap
from jaxtyping import Float, Int

Nodes: TypeAlias = tuple[Array, Array, Array, Array]  # leak, conductance up, conductance down, inflow
Tree: TypeAlias = dict[int, int]  # each node but the first -> its parent; the most distant ones come first

IN_TURN_BYTES = 32  # XLA makes plain code of a loop only while it moves little: a row of at most this for each node
IN_GROUP = 16  # nodes that go at once on a CPU if rows are longer
SIMILAR, NARROW = 3, 64  # rounds share a loop if widths differ by less than this factor, or none is wider than this
DISTINCT: Any = {"mode": "promise_in_bounds", "unique_indices": True}


class Order(NamedTuple):
    """An order in which all nodes but the first go.

    Attributes:
        loops: Int[round, 2 or 3, node] for each loop, or without the last axis if rounds have one node: the nodes that
            go, their parents, and their only children if they may have one.
        n_spare: number of spare nodes, which stand in the loops for what is not there.
    """

    loops: tuple[np.ndarray, ...]
    n_spare: int


@dataclasses.dataclass(frozen=True, eq=False)
class Elimination:
    """The orders for one tree: one node after the other, some at once, and as many at once as possible."""

    in_turn: Order
    in_groups: Order
    in_rounds: Order


def plan(parent: Int[np.ndarray, "child"]) -> Elimination:
    """How to solve a tree; `parent` has the parents of the nodes 1, 2, ..., and node 0 is the root."""
    below: list[list[int]] = [[] for _ in range(len(parent) + 1)]
    for node, p in enumerate(parent.tolist(), start=1):
        below[p].append(node)
    nearest_first = [0]
    for node in nearest_first:
        nearest_first += below[node]
    tree = {node: int(parent[node - 1]) for node in reversed(nearest_first[1:])}
    one_by_one = np.array(list(tree.items()), np.int32).reshape(-1, 2)
    return Elimination(
        in_turn=Order((one_by_one,), 0),
        in_groups=_order(_rounds(tree, IN_GROUP, with_child=False), len(below)),
        in_rounds=_order(_rounds(tree, len(below), with_child=True), len(below)),
    )


def voltages(
    elimination: Elimination, leak: Float[Array, "node"], branch: Float[Array, "node"], inflow: Float[Array, "node"]
) -> Float[Array, "node"]:
    """The voltage of every node, V.

    Args:
        elimination: of the tree.
        leak: conductance to the ground, S; not negative, and positive at every tip.
        branch: conductance to the parent, S; positive, and 0 for the first node.
        inflow: current that flows into the node from outside, A.
    """
    solve = custom_vmap(functools.partial(_solve, elimination))

    @solve.def_vmap
    def batched(size: int, mapped: list[bool], *arrays: Array) -> tuple[Array, bool]:
        """A batch goes to the last axis: what moves between nodes are then contiguous rows."""
        del size
        rows = [jnp.moveaxis(x, 0, -1) if on else x[..., None] for x, on in zip(arrays, mapped, strict=True)]
        return jnp.moveaxis(solve(*rows), -1, 0), True

    return solve(leak, branch, inflow)


def _solve(elimination: Elimination, leak: Array, branch: Array, inflow: Array) -> Array:
    leak, branch, inflow = jnp.broadcast_arrays(leak, branch, inflow)
    in_turn = leak.nbytes <= IN_TURN_BYTES * len(leak)
    return jax.lax.platform_dependent(
        leak,
        branch,
        inflow,
        cpu=functools.partial(_solve_in, elimination.in_turn if in_turn else elimination.in_groups),
        default=functools.partial(_solve_in, elimination.in_rounds),
    )


def _solve_in(order: Order, leak: Array, branch: Array, inflow: Array) -> Array:
    """The voltages of (node, *batch); spare nodes get values that keep their arithmetic finite."""
    spare = jnp.zeros_like(leak, shape=(order.n_spare, *leak.shape[1:]))
    nodes = (
        jnp.concatenate([leak, spare + 1.0]),
        jnp.concatenate([branch, spare]),
        jnp.concatenate([jnp.zeros_like(branch), spare]),
        jnp.concatenate([inflow, spare]),
    )
    for loop in order.loops:
        nodes, _ = jax.lax.scan(_remove, nodes, jnp.asarray(loop))
    left, up, down, gathered = nodes
    resistance = 1.0 / (left + up + down)
    alone, to_parent, to_child = gathered * resistance, up * resistance, down * resistance

    def restore(v: Array, removed: Array) -> tuple[Array, None]:
        """Nodes come back, with a voltage between those of their neighbours."""
        node, parent, *child = removed
        found = alone[node] + to_parent[node] * v[parent]
        found = sum((to_child[node] * v[c] for c in child), found)
        return v.at[node].set(found, **DISTINCT), None

    v = alone
    for loop in reversed(order.loops):
        v, _ = jax.lax.scan(restore, v, jnp.asarray(loop), reverse=True)
    return v[: len(leak)]


def _remove(nodes: Nodes, removed: Array) -> tuple[Nodes, None]:
    """Nodes go: their parents and children share what leaks from them and what flows into them."""
    leak, up, down, inflow = nodes
    node, parent, *child = removed
    own_leak, own_inflow, own_up = leak[node], inflow[node], up[node]
    total = sum((up[c] for c in child), own_leak + own_up)
    to_parent = own_up / total
    leak = leak.at[parent].add(to_parent * own_leak, **DISTINCT)
    inflow = inflow.at[parent].add(to_parent * own_inflow, **DISTINCT)
    for c in child:
        own_down = up[c]
        leak = leak.at[c].add(own_down / total * own_leak, **DISTINCT)
        inflow = inflow.at[c].add(own_down / total * own_inflow, **DISTINCT)
        up = up.at[c].multiply(to_parent, **DISTINCT)
        down = down.at[node].set(own_down, **DISTINCT)
    return (leak, up, down, inflow), None


def _rounds(tree: Tree, width: int, with_child: bool) -> list[np.ndarray]:
    """Rounds of at most `width` nodes that go at once: (node, parent), or (node, parent, only child or -1).

    In one round no node is the neighbour of another and no two have the same parent. So every index in a sum occurs
    once, and a sum comes out the same, bit for bit, wherever it runs.
    """
    above = dict(tree)
    below: dict[int, set[int]] = {node: set() for node in (0, *tree)}
    for node, parent in tree.items():
        below[parent].add(node)
    rounds = []
    while above:
        chosen: dict[int, tuple[int, ...]] = {}
        parents: set[int] = set()
        for node, parent in above.items():
            child = next(iter(below[node]), -1)
            if len(below[node]) <= with_child and child not in chosen and parent not in parents:
                chosen[node] = (node, parent, child) if with_child else (node, parent)
                parents.add(parent)
                if len(chosen) == width:
                    break
        for node in chosen:
            parent = above.pop(node)
            below[parent].remove(node)
            below[parent] |= below[node]
            above |= dict.fromkeys(below[node], parent)
        rounds.append(np.array(list(chosen.values()), np.int32).T)
    return rounds


def _order(rounds: Sequence[np.ndarray], first_spare: int) -> Order:
    """Rounds of similar width in one loop, with a spare node wherever there is none."""
    loops: list[list[np.ndarray]] = []
    for one in rounds:
        widest = max(each.shape[1] for each in loops[-1]) if loops else 0
        if loops and (widest < SIMILAR * one.shape[1] or widest <= NARROW):
            loops[-1].append(one)
        else:
            loops.append([one])
    padded = []
    for loop in loops:
        width = max(one.shape[1] for one in loop)
        rows = np.tile(np.arange(first_spare, first_spare + width, dtype=np.int32), (len(loop), len(loop[0]), 1))
        for row, one in zip(rows, loop, strict=True):
            there = row[:, : one.shape[1]]
            there[one >= 0] = one[one >= 0]
        padded.append(rows)
    return Order(tuple(padded), max((rows.shape[2] for rows in padded), default=0))
