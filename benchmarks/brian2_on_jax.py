"""Brian2 networks compiled to JAX beside Brian2's own engines and Jaxley: `python -m benchmarks.brian2_on_jax --help`.

Every engine gets the same equations, connections, initial values and step, and as many cores. Results are compared
before speeds: float64 and Brian2 spike by spike over the first 100 ms of a run without noise, and all engines by their
number of spikes. Engines that disagree have no speed. What is done once is apart from the run, whose time is the best
of several. The tables are Markdown.
"""

import argparse
import os
import platform
from collections.abc import Callable, Sequence

import brian2
import jax
import numpy as np

from benchmarks.compiled import (
    Disagreement,
    Timing,
    exponential_limit,
    require_agreement,
    time_batch,
    time_compiled,
    time_gradient,
)
from benchmarks.networks import EXPONENTIALS
from benchmarks.parts import PARTS, Part
from benchmarks.peers import brian2_peers, jaxley_peer, require_count

DTYPES: tuple[type, ...] = (np.float64, np.float32)
OTHER_SCHEME = 0.05  # by how much Jaxley's counts may differ, whose step is implicit in the voltage


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table in Markdown."""
    print()
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(row)} |")


def compared(part: Part, repeats: int) -> list[Timing]:
    """All engines on one network, Brian2's C++ first; says what agrees.

    Raises:
        Disagreement: something does not.
    """
    timings, frozen = brian2_peers(part, repeats)
    agreed = require_agreement(part, frozen)
    timings += [time_compiled(part, dtype, repeats) for dtype in DTYPES]
    for timing in timings[1:]:
        require_count(timing, timings[0], part.tolerance)
    targets = f", {part.targets} targets each" if part.targets else ""
    print(f"\n{part.name}: {part.neurons} cells{targets}, {part.seconds:g} s in steps of {1e3 * part.step_s:g} ms.")
    print(f"Float64 and Brian2: {agreed}.")
    return timings


def side_by_side(part: Part, repeats: int) -> list[Timing]:
    """All engines on one network, and their table."""
    timings = compared(part, repeats)
    rows = [
        [one.engine, f"{one.build_s:.2g}", f"{one.run_s:.3g}", f"{1e6 * one.run_s / part.n_steps:.3g}"]
        + [f"{timings[0].run_s / one.run_s:.2f}", str(one.spikes)]
        for one in timings
    ]
    print_table(("engine", "once, s", "run, s", "us a step", "speed", "spikes"), rows)
    return timings


def uncoupled(part: Part, repeats: int) -> None:
    """Cells without synapses: how fast they could be, and their gradient."""
    timings = side_by_side(part, repeats)
    limits = {dtype: exponential_limit(part, dtype, repeats) for dtype in DTYPES}
    few = part.resized(min(part.neurons, 1000), None, None)  # 750 kB for each cell without checkpoints
    gradients: list[tuple[str, float, float | None]] = [
        (f"compiled, {np.dtype(dtype).name}", *time_gradient(few, dtype, repeats)) for dtype in DTYPES
    ]
    for dtype in DTYPES:
        peer = jaxley_peer(part, dtype, repeats)
        if peer is None:
            print("\nJaxley: not installed.")
            break
        require_count(peer[0], timings[0], OTHER_SCHEME)
        timings.append(peer[0])
        gradients.append((peer[0].engine, peer[1], None))
    print(f"\nThe limit is the time of {EXPONENTIALS} exponentials for each cell and step, by the faster of two.")
    rows = []
    for one in timings:
        limit_s = limits[np.float32 if "float32" in one.engine else np.float64]
        speed = part.neurons * part.n_steps / one.run_s
        rows.append([one.engine, f"{speed:.2g}", f"{limit_s / one.run_s:.2f}"])
    print_table(("engine", "cell-steps/s", "of the limit"), rows)
    print(f"\nThe mean voltage of {few.neurons} cells with its gradient by conductances, in runs without gradient.")
    rows = [[name, f"{plain:.1f}", "" if sparing is None else f"{sparing:.1f}"] for name, plain, sparing in gradients]
    print_table(("engine", "gradient", "with checkpoints"), rows)


def deliveries(part: Part, repeats: int) -> None:
    """What a step costs by how many spikes are delivered, and by how many synapses there are."""
    quiet = PARTS["quiet"].resized(part.neurons, part.targets, part.seconds)
    rows = []
    for one in (part, quiet, quiet.resized(None, 10 * part.targets, None)):
        timings = compared(one, repeats)
        events = timings[0].spikes * one.targets / one.n_steps
        rows.append([str(one.neurons * one.targets), f"{events:.3g}"])
        rows[-1] += [f"{1e6 * timing.run_s / one.n_steps:.3g}" for timing in timings]
    print_table(("synapses", "deliveries a step", *(f"{timing.engine}, us a step" for timing in timings)), rows)


def cable(part: Part, repeats: int, batch: int = 100) -> None:
    """One cell with dendrites, and a batch that differ in their sodium conductance."""
    timings = side_by_side(part, repeats)
    single_s = timings[0].run_s
    rows = [[f"{timings[0].engine}, in turn", f"{single_s:.3g}", f"{batch * single_s:.3g} (computed)"]]
    for dtype in DTYPES:
        ours = [time_batch(part, dtype, size, repeats) for size in (1, batch)]
        rows.append([ours[0].engine, *(f"{one.run_s:.3g}" for one in ours)])
        peers = [jaxley_peer(part, dtype, repeats, size) for size in (1, batch)]
        theirs = [one[0] for one in peers if one is not None]
        if theirs:
            require_count(theirs[0], timings[0], OTHER_SCHEME)
            rows.append([theirs[0].engine, *(f"{one.run_s:.3g}" for one in theirs)])
        else:
            rows.append(["Jaxley: not installed", "", ""])
    print_table(("engine", "1 cell, s", f"{batch} cells, s"), rows)


PRINTERS: dict[str, Callable[[Part, int], object]] = {
    "cobahh": side_by_side,
    "hh": uncoupled,
    "cuba": side_by_side,
    "stdp": side_by_side,
    "delays": side_by_side,
    "deliveries": deliveries,
    "cable": cable,
}


def heading(cores: int) -> str:
    """What was measured on, and with what."""
    device = jax.devices()[0]
    where = f"{device.platform} ({device.device_kind})"
    versions = f"Python {platform.python_version()}, jax {jax.__version__}, Brian2 {brian2.__version__}"
    return f"JAX on {where}; {cores} core(s) of {platform.machine()}; {versions}."


def main() -> None:
    """Prints the tables of the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", default="all", choices=(*PRINTERS, "all"))
    parser.add_argument("--neurons", type=int, help="cells, or compartments in fours; up to 100,000")
    parser.add_argument("--targets", type=int, help="of each neuron; for stdp, the inputs of each")
    parser.add_argument("--seconds", type=float, help="of simulated time")
    parser.add_argument("--repeats", type=int, default=3, help="of which the best counts")
    parser.add_argument("--cores", type=int, default=1, help="for every engine alike")
    chosen = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # before JAX counts the cores; the peers inherit it
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: chosen.cores])
    jax.config.update("jax_enable_x64", True)
    brian2.prefs.codegen.target = "numpy"  # what Brian2 does in this process is not timed
    brian2.BrianLogger.suppress_name("unused_brian_object")  # the networks here are compiled, and never run by Brian2
    print(heading(chosen.cores))
    failed = []
    for name in PRINTERS if chosen.part == "all" else (chosen.part,):
        part = PARTS[name].resized(chosen.neurons, chosen.targets, chosen.seconds)
        try:
            PRINTERS[name](part, chosen.repeats)
        except Disagreement as reason:
            print(f"\n{name}: no speed, because the engines disagree: {reason}.")
            failed.append(name)
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
