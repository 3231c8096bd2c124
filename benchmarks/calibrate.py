"""Calibration beside Brian2's C++ standalone and Jaxley, and its methods: `python -m benchmarks.calibrate --help`.

Simulations: the same AdEx parameter sets under the same current with the same step; Brian2 as one batch of cells in one
group, which is how brian2modelfitting simulates a population. Every spike of the float64 program and of Brian2 is
counted for each parameter set before any speed is printed; a set in which rounding decides about a spike may differ.
Conductances: a fast-spiking cell with sodium, potassium and leak, beside Jaxley where that is installed; all engines
have to count the same number of spikes within OTHER_SCHEME, because each scheme has errors of its own at this step.
Methods: a GIF cell whose parameters are known, its point process likelihood, and the lowest loss against the time since
the call, compilation included. Tables are Markdown.
"""

import argparse
import dataclasses
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brian2
import jax
import numpy as np
from scipy.signal import lfilter

from biophys.calibrate import (
    Coincidence,
    DifferentialEvolution,
    Evolution,
    Gradient,
    PointProcess,
    RateError,
    Target,
    calibrate,
)
from biophys.calibrate.evaluator import Evaluator
from biophys.calibrate.objectives.objective import as_weighted
from biophys.calibrate.observer import Observer
from biophys.calibrate.plan import Plan
from biophys.calibrate.problem import Problem
from biophys.calibrate.space import space_of
from biophys.models import ALL, neuron_group

DT_S = 1e-4
BOUNDS = {"C": (100, 400), "g_L": (5, 30), "E_L": (-80, -60), "V_T": (-55, -42), "a": (0, 10), "b": (5, 300)}
START = {"C": 200.0, "g_L": 10.0, "E_L": -70.0}
FIXED = {"V_r": -58.0, "V_peak": 0.0}
OTHER_SCHEME = 0.03
ROUNDED = 0.005  # share of parameter sets whose number of spikes may depend on the rounding


def current_na(seconds: float, mean: float, sd: float) -> np.ndarray:
    """Noise with a time constant of 3 ms."""
    white = np.random.default_rng(0).normal(size=round(seconds / DT_S))
    return mean + sd * np.sqrt(1 - 0.967**2) * lfilter([1.0], [1.0, -0.967], white)


def brian2_counts(sets: int, seconds: float, threads: int, folder: str) -> None:
    """In a process of its own: time and spike counts of Brian2's C++ standalone, one line of JSON."""
    brian2.set_device("cpp_standalone", directory=folder, build_on_run=False)
    brian2.prefs.devices.cpp_standalone.openmp_threads = threads if threads > 1 else 0
    model = ALL["adex"]
    text = model.equations.replace("\nI : amp", "\nI = injected(t) : amp")
    group = neuron_group(dataclasses.replace(model, equations=text), sets, dt=DT_S * brian2.second)
    injected = current_na(seconds, 0.4, 0.4) * 1e-9 * brian2.amp
    group.namespace["injected"] = brian2.TimedArray(injected, dt=DT_S * brian2.second)
    for name, value in {**FIXED, **values_of(sets)}.items():
        group.variables[name].set_value(np.broadcast_to(value, sets) * model.parameter(name).scale)
    group.v = "E_L"
    spikes = brian2.SpikeMonitor(group)
    started = time.perf_counter()
    brian2.Network(group, spikes).run(seconds * brian2.second, namespace={})
    brian2.device.build(directory=folder, run=False, with_output=False)
    build_s = time.perf_counter() - started
    brian2.device.run(directory=folder, with_output=False)
    counts = np.asarray(spikes.count).tolist()
    print(json.dumps({"build_s": build_s, "run_s": brian2.device._last_run_time, "counts": counts}))


def positions_of(sets: int) -> np.ndarray:
    """Parameter sets anywhere within the bounds."""
    return np.random.default_rng(1).uniform(size=(sets, len(BOUNDS)))


def values_of(sets: int) -> dict[str, np.ndarray]:
    """The same in the parameters' units."""
    return space_of(ALL["adex"], BOUNDS, START).values(positions_of(sets))


def target_of_noise(seconds: float) -> Target:
    """A target with 12 spikes a second, whenever."""
    current = current_na(seconds, 0.4, 0.4)[None]
    train = np.sort(np.random.default_rng(2).uniform(0, seconds, round(12 * seconds)))
    return Target("noise", DT_S, current, None, ((train,),), ("0",), (0.0, seconds))


def evaluator(seconds: float, sets: int, dtype: type, objective) -> Evaluator:
    """Compiled, but for the first call."""
    space = space_of(ALL["adex"], BOUNDS, START)
    plan = Plan(ALL["adex"], space, as_weighted(objective), FIXED, Observer(None), DT_S, dtype=dtype)
    return Evaluator(Problem(plan, target_of_noise(seconds)), sets)


def speed(sets: int, seconds: float, repeats: int) -> None:
    """Simulations per second, and the time of a whole fit."""
    key, positions, rows = jax.random.key(0), positions_of(sets), []
    for threads in (1, os.cpu_count() or 1):
        with tempfile.TemporaryDirectory() as folder:
            found = _process(sets=sets, seconds=seconds, threads=threads, folder=folder)
        rows.append([f"Brian2 C++ standalone, {threads} thread(s)", found["build_s"], found["run_s"]])
    counts = np.array(found["counts"])
    rates = evaluator(seconds, sets, np.float64, RateError())(positions, key).loss
    # the loss is |spikes - 12 a second|, in Hz: it has to be that of Brian2's counts
    differ = np.abs(np.abs(counts / seconds - round(12 * seconds) / seconds) - rates) > 1e-6
    print(
        f"\n{sets} AdEx parameter sets, {seconds:g} s in steps of {1e3 * DT_S:g} ms, {counts.sum()} spikes in Brian2;"
    )
    print(f"spike numbers of the float64 program differ in {differ.sum()} sets.")
    if differ.mean() > ROUNDED:
        raise SystemExit("The engines disagree, so that no speed is comparable.")
    for dtype in (np.float64, np.float32):
        call = evaluator(seconds, sets, dtype, Coincidence())
        once_s, run_s, _ = _best(lambda call=call: call(positions, key), repeats)
        rows.append([f"calibrate, {np.dtype(dtype).name}, with coincidence", once_s, run_s])
    reference = min(row[2] for row in rows[:2])
    table(
        ("engine", "once, s", "run, s", "simulations/s", "M cell-steps/s", "speed"),
        [
            [
                n,
                f"{b:.2f}",
                f"{r:.2f}",
                f"{sets / r:.0f}",
                f"{sets * seconds / DT_S / r / 1e6:.0f}",
                f"{reference / r:.1f}",
            ]
            for n, b, r in rows
        ],
    )
    started = time.perf_counter()
    calibrate(target_of_noise(seconds), ALL["adex"], BOUNDS, Coincidence(), Evolution(4), sets, key, start=START,
              fixed=FIXED, dt_s=DT_S)  # fmt: skip
    print(
        f"\nA fit of {sets} simulations by CMA-ES, from the call to the result: {time.perf_counter() - started:.1f} s."
    )


def conductances(sets: int, seconds: float, repeats: int) -> None:
    """Simulations per second of a conductance-based cell."""
    model, dt_s = dataclasses.replace(ALL["pospischil_fs"], method="exponential_euler"), 2.5e-5
    bounds = {"g_Na": (40.0, 80.0), "g_K": (8.0, 20.0), "g_L": (50.0, 250.0)}
    space, positions = space_of(model, bounds, {}), np.random.default_rng(1).uniform(size=(sets, 3))
    current = np.repeat(current_na(seconds, 0.3, 0.3), round(DT_S / dt_s))
    busy = np.arange(0, seconds, 1e-3)  # more spikes than any set has: the rate error then tells their number
    rows, counts = [], {}
    for dtype in (np.float64, np.float32):
        plan = Plan(model, space, as_weighted(RateError()), {}, Observer(None), dt_s, dtype=dtype)
        target = Target("noise", dt_s, current[None], None, ((busy,),), ("0",), (0.0, seconds))
        call, name = Evaluator(Problem(plan, target), sets), f"calibrate, {np.dtype(dtype).name}"
        first_s, run_s, found = _best(lambda call=call: call(positions, jax.random.key(0)), repeats)
        counts[name] = round(float((len(busy) - found.loss * seconds).sum()))
        rows.append([name, first_s, run_s])
    values = space.values(positions)
    densities = np.stack([1e-3 * values["g_Na"], 1e-3 * values["g_K"], 1e-6 * values["g_L"]], axis=1)
    value = {one.name: one.value for one in model.parameters}
    fixed = {"eNa": value["E_Na"], "eK": value["E_K"], "Leak_eLeak": value["E_L"], "vt": value["V_T"]}
    fixed |= {"v": value["E_L"], "capacitance": value["c_m"]}
    cell = {"n_steps": len(current), "step_ms": 1e3 * dt_s, "area_um2": value["area"], "current_na": current.tolist()}
    for dtype in ("float64", "float32"):
        found = _jaxley(densities=densities.tolist(), dtype=dtype, repeats=repeats, fixed=fixed, **cell)
        if found is None:
            print("\nJaxley is not installed; this table is without it.")
            break
        counts[f"Jaxley, {dtype}"] = sum(found["counts"])
        rows.append([f"Jaxley, {dtype}", found["build_s"], found["run_s"]])
    print(f"\n{sets} sets of three conductances, {seconds:g} s in steps of {1e3 * dt_s:g} ms; spikes: {counts}.")
    if max(counts.values()) > (1 + OTHER_SCHEME) * min(counts.values()):
        raise SystemExit("The engines disagree, so that no speed is comparable.")
    reference = next((row[2] for row in rows if row[0].startswith("Jaxley")), rows[0][2])
    head = ("engine", "once, s", "run, s", "simulations/s", "M cell-steps/s", "speed")
    table(
        head,
        [
            [
                n,
                f"{b:.2f}",
                f"{r:.2f}",
                f"{sets / r:.0f}",
                f"{sets * len(current) / r / 1e6:.0f}",
                f"{reference / r:.1f}",
            ]
            for n, b, r in rows
        ],
    )


def _best(run: Callable[[], Any], repeats: int) -> tuple[float, float, Any]:
    """Seconds that the first call takes longer, seconds of the fastest one, and its result."""
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - started)
    return times[0] - min(times[1:]), min(times[1:]), result


def methods(seconds: float) -> None:
    """The lowest loss against time, for three methods."""
    gif, truth = ALL["gif"], {"C": 120.0, "g_L": 7.0, "E_L": -67.0, "V_T_star": -47.0, "Delta_V": 1.5}
    bounds = {"C": (30, 600), "g_L": (1, 60), "E_L": (-85, -50), "V_T_star": (-65, -30), "Delta_V": (0.3, 8)}
    current = current_na(seconds, 0.2, 0.25)
    text = gif.equations.replace("\nI : amp", "\nI = injected(t) : amp")
    brian2.prefs.codegen.target = "numpy"
    brian2.seed(0)
    group = neuron_group(dataclasses.replace(gif, equations=text), 1, truth, dt=DT_S * brian2.second)
    group.namespace["injected"] = brian2.TimedArray(current * 1e-9 * brian2.amp, dt=DT_S * brian2.second)
    spikes = brian2.SpikeMonitor(group)
    brian2.Network(group, spikes).run(seconds * brian2.second, namespace={})
    train = np.asarray(spikes.t_)
    target = Target("gif", DT_S, current[None], None, ((train,),), ("0",), (0.0, seconds))
    marks, rows = (2.0, 5.0, 10.0, 20.0, 40.0), []
    for method, budget in ((Evolution(4), 8192), (DifferentialEvolution(64), 8192), (Gradient(16), 3200)):
        course, started = [], time.perf_counter()

        def note(share: float, best: float, course=course, started=started) -> None:
            course.append((time.perf_counter() - started, best))

        fit = calibrate(target, gif, bounds, PointProcess(), method, budget, intervals=False, progress=note)
        best = [min((loss for at, loss in course if at <= mark), default=np.nan) for mark in marks]
        rows.append([type(method).__name__, *(f"{one:.4f}" for one in best), f"{fit.loss:.4f}", f"{course[-1][0]:.1f}"])
    print(f"\nGIF cell, {len(train)} spikes in {seconds:g} s: lowest minus bits per spike after so many seconds.")
    table(("method", *(f"{mark:g} s" for mark in marks), "at the end", "ended after, s"), rows)


def table(head: tuple[str, ...], rows: list[list[str]]) -> None:
    """In Markdown."""
    print()
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(row)} |")


def _process(**arguments) -> dict:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.calibrate", "--brian2", json.dumps(arguments)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"Brian2 failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _jaxley(**arguments) -> dict | None:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.calibrate_jaxley"]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, input=json.dumps(arguments))
    if done.returncode:
        raise SystemExit(f"Jaxley failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--brian2", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.brian2:
        brian2_counts(**json.loads(options.brian2))
        return
    jax.config.update("jax_enable_x64", True)
    print(f"{platform.machine()}, {os.cpu_count()} cores, {jax.devices()[0].platform}, Brian2 {brian2.__version__}, "
          f"JAX {jax.__version__}")  # fmt: skip
    speed(options.sets, options.seconds, options.repeats)
    conductances(options.sets // 4, options.seconds / 8, options.repeats)
    methods(options.seconds / 2)


if __name__ == "__main__":
    main()
