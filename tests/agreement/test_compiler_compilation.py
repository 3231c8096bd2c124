"""What XLA makes of a program: compiled once, small in memory with checkpoints, and exported for every platform."""

import dataclasses
import functools
import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from brian2 import Hz, Mohm, Network, NeuronGroup, PoissonGroup, ms, mV, us
from jax import export

from biophys import Program, compile_network


def integrate_and_fire(n: int = 3, method: str = "exponential_euler") -> NeuronGroup:
    group = NeuronGroup(
        n,
        """dv/dt = (e_l - v + r*drive)/tau : volt (unless refractory)
           drive : amp
           tau : second""",
        threshold="v > -50*mV",
        reset="v = e_l",
        refractory=2 * ms,
        method=method,
        dt=0.1 * ms,
        namespace={"e_l": -70 * mV, "r": 50 * Mohm},
        name="cell",
    )
    group.v, group.tau = -70 * mV, np.linspace(8, 12, n) * ms
    return group


@pytest.fixture(name="program")
def _program() -> Program:
    return compile_network(Network(integrate_and_fire()), inputs=("cell.drive",))


def _counting(program: Program) -> tuple[Program, list[None]]:
    """The program, and a list that grows whenever it is traced."""
    traced: list[None] = []
    first = program.operations[0]

    def apply(world: Any) -> Any:
        traced.append(None)
        return first.apply(world)

    operations = (dataclasses.replace(first, apply=apply), *program.operations[1:])
    return dataclasses.replace(program, operations=operations), traced


def test_new_values_never_compile_again(program: Program) -> None:
    """Other parameters, inputs, tapes and states run the program that is already compiled."""
    program, traced = _counting(program)
    state, tape = program.init(), np.full(30, 4e-10)
    ends = set()
    for factor in (1.0, 1.5, 2.0):
        params = {"cell.tau": factor * program.defaults["cell.tau"], "cell.e_l": -0.07 * factor}
        state, _ = program.run(3 * ms, params, tapes={"cell.drive": factor * tape}, state=state)
        ends.add(float(state["cell.v"][0]))
        if factor == 1.0:
            compiled = len(traced)
    assert len(traced) == compiled > 0 and len(ends) == 3


def _noisy(n: int = 3) -> Program:
    equations = "dv/dt = (drive - v)/tau + 2*mV*xi*tau**-0.5 : volt\ndrive : volt"
    group = NeuronGroup(n, equations, threshold="v > 10*mV", reset="v = 0*mV", method="euler", name="noisy")
    return compile_network(Network(group), {"tau": 5 * ms}, inputs=("noisy.drive",))


def test_new_keys_and_durations_in_other_words_never_compile_again() -> None:
    """Other keys, states of other runs, and a duration in seconds or as a quantity run what is already compiled."""
    program, traced = _counting(_noisy())
    state, _ = program.run(3 * ms, inputs={"noisy.drive": 0.01}, key=jax.random.key(0))
    compiled = len(traced)
    for seed, duration in enumerate((3 * ms, 0.003, np.float64(0.003), 3000 * us)):
        program.run(duration, inputs={"noisy.drive": 0.02 + 0.01 * seed}, key=jax.random.key(seed), state=state)
    assert len(traced) == compiled > 0
    program.run(0.0031, inputs={"noisy.drive": 0.01}, key=jax.random.key(0))
    assert len(traced) > compiled


@pytest.mark.parametrize("n_steps", [1, 83])
def test_checkpoints_change_nothing(program: Program, n_steps: int) -> None:
    """Values, recordings and gradients are those of a plain run, whatever the number of steps and its square root."""
    tape = np.linspace(3e-10, 9e-10, n_steps)

    @functools.partial(jax.jit, static_argnames="checkpoint")
    def value_and_slope(tau: jax.Array, tape: jax.Array, checkpoint: bool) -> Any:
        def last(tau: jax.Array, tape: jax.Array) -> Any:
            given: dict[str, Any] = {"record": ("cell.v", "cell.spike"), "checkpoint": checkpoint}
            state, out = program.run(n_steps * 1e-4, {"cell.tau": tau}, tapes={"cell.drive": tape}, **given)
            return jnp.sum(out["cell.v"] ** 2) + jnp.sum(state["cell.v"] ** 2), (state, out)

        return jax.value_and_grad(last, argnums=(0, 1), has_aux=True)(tau, tape)

    tau = jnp.array([8e-3, 1e-2, 1.2e-2])
    plain, kept = (value_and_slope(tau, jnp.asarray(tape), checkpoint=checkpoint) for checkpoint in (False, True))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-11), plain, kept)
    assert plain[0][1][1]["cell.v"].shape == (n_steps, 3)
    assert n_steps == 1 or float(jnp.abs(plain[1][0]).min()) > 0


def _gradients_memory(program: Program, n_steps: int, checkpoint: bool) -> int:
    """Bytes of temporary memory of a gradient, by XLA's own account."""

    def loss(tau: jax.Array) -> jax.Array:
        state, _ = program.run(n_steps * program.dt_s, {"cell.tau": tau}, {"cell.drive": 5e-10}, checkpoint=checkpoint)
        return jnp.sum(state["cell.v"])

    memory = jax.jit(jax.grad(loss)).lower(jnp.full(200, 0.01)).compile().memory_analysis()
    assert memory is not None
    return int(memory.temp_size_in_bytes)


def test_memory_grows_like_the_square_root_with_checkpoints() -> None:
    """For sixteen times the steps a gradient takes about four times the memory, and sixteen times without."""
    program = compile_network(Network(integrate_and_fire(200)), inputs=("cell.drive",))
    plain = [_gradients_memory(program, n_steps, False) for n_steps in (400, 6400)]
    kept = [_gradients_memory(program, n_steps, True) for n_steps in (400, 6400)]
    assert plain[1] / plain[0] == pytest.approx(16, rel=0.1)
    assert kept[1] / kept[0] == pytest.approx(4, rel=0.2)
    assert kept[1] < plain[1] / 20


def test_exports_for_every_platform() -> None:
    """A run, its noise and its gradient become one StableHLO module for CPU, GPU and TPU, which does the same here."""
    group = integrate_and_fire(3, method="rk4")
    source = PoissonGroup(2, rates=400 * Hz, name="source")
    program = compile_network(Network(group, source), dtype=np.float32, inputs=("cell.drive",))

    def run(tau: jax.Array, drive: jax.Array, seed: jax.Array) -> Any:
        def loss(tau: jax.Array) -> Any:
            given: dict[str, Any] = {"key": jax.random.wrap_key_data(seed), "record": ("cell.v", "source.spike")}
            _, out = program.run(5 * ms, {"cell.tau": tau}, tapes={"cell.drive": drive}, checkpoint=True, **given)
            return jnp.mean(out["cell.v"] ** 2), out

        return jax.value_and_grad(loss, has_aux=True)(tau)

    at = (jnp.full(3, 0.01, np.float32), jnp.full((50, 3), 5e-10, np.float32), jax.random.key_data(jax.random.key(0)))
    exported = export.export(jax.jit(run), platforms=("cpu", "cuda", "tpu"))(*at)
    assert exported.platforms == ("cpu", "cuda", "tpu") and len(exported.mlir_module_serialized) > 1000
    assert not re.search(r"\dxf64", exported.mlir_module())
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), exported.call(*at), run(*at))


def test_shared_subexpressions_are_evaluated_once() -> None:
    """What several equations share is in the program once, also where exponential Euler differentiates each of them."""
    equations = """
    dm/dt = q*(exp(x) - m)/ms : 1
    dh/dt = q*(exp(x) - h)/ms : 1
    dx/dt = q*(m*h - x)/ms : 1
    q = 3.0**((temperature_c - 18)/10) : 1
    temperature_c : 1
    """
    group = NeuronGroup(2, equations, method="exponential_euler", dt=0.1 * ms, name="cell")
    program = compile_network(Network(group))
    text = str(jax.make_jaxpr(lambda state: program.step(state))(program.init()))
    assert text.count(" pow ") == 1
