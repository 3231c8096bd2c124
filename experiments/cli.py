"""The command `twin`: parse, run, and turn every expected failure into one readable sentence and an exit code.

Exit codes: 0 success, 1 the work failed, 2 bad usage or input.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from tyro.conf import Positional

from twin.errors import InputError, NeurotwinError


def demo(
    out: Path = Path("demo-report"),
    seed: int = 0,
    data: Path | None = None,
    protocol: Path | None = None,
    quick: bool = False,
) -> None:
    """The main job, end to end, on two real recordings of a grasshopper auditory receptor neuron.

    Ingests and corrects, calibrates a biophysical cell, trains a surrogate, couples the two, judges the twin on the
    recording that was held out, perturbs it, and writes report.html, report.json and results.zarr.

    Args:
        out: folder to write; it must not exist, or be empty.
        seed: of everything random; the same seed gives the same report.json.
        data: folder with the four grasshopper_*.txt files; those that nitime brings otherwise.
        protocol: TOML file with what is known of the preparation beyond the files; the published values otherwise.
        quick: a small run that shows the way (seconds of data, few generations); its scores mean nothing.
    """
    from experiments.demo import story

    settings = story.QUICK if quick else story.Settings()
    story.run(out, seed=seed, data=data, protocol=protocol, settings=settings, console=Console(stderr=True))


def data(
    action: Positional[Literal["list", "show", "get"]],
    name: Positional[str | None] = None,
    source: Annotated[Path | None, tyro.conf.arg(name="from")] = None,
    out: Path | None = None,
    only: str | None = None,
    unverified: bool = False,
) -> None:
    """Public data sets by name.

    Args:
        action: list all sets, show one, or get one as recordings.
        name: of the set, for show and get.
        source: folder with the set's original files; where the set usually lies otherwise.
        out: for get: NAME.zarr for a single recording, or a folder in which each becomes NAME.zarr.
        only: the one recording to get.
        unverified: read files that differ from the public originals too.
    """
    from experiments import data as commands

    if action == "list":
        commands.list_sets(Console())
    elif action == "show":
        commands.show(commands.named(name), Console())
    else:
        commands.get(commands.named(name), source, out, only, not unverified)


def ingest(files: Positional[tuple[Path, ...]], out: Path, protocol: Path | None = None) -> None:
    """Read original files into one recording.

    Args:
        files: the files that belong together, such as a stimulus and its spike times.
        out: the recording to write, a zarr folder that does not exist.
        protocol: TOML file with what is known beyond the files.
    """
    from experiments import data as commands

    commands.ingest(files, out, protocol)


def inspect(recording: Positional[Path], draw: Path | None = None) -> None:
    """What is in a recording, what its protocol reports, and what it does not.

    Args:
        recording: a zarr folder.
        draw: file for a picture of it, .png, .svg or .pdf.
    """
    from experiments import inspection

    inspection.show(recording, draw, Console())


def correct(
    recording: Positional[Path],
    out: Path,
    protocol: Path | None = None,
    leave_out: tuple[Literal["series_resistance", "junction_potential"], ...] = (),
    electrode_test: Path | None = None,
    draw: Path | None = None,
    undo: bool = False,
) -> None:
    """The corrections that a recording's protocol calls for: series resistance or electrode, and junction potential.

    A value that is needed and unreported stops it; a recording that was corrected before is refused.

    Args:
        recording: a zarr folder with sweeps.
        out: the corrected recording to write, a zarr folder that does not exist.
        protocol: TOML file with what is known beyond the recording's own protocol.
        leave_out: corrections to leave out.
        electrode_test: a recording of weak noise through the same electrode, from which its kernel is estimated.
        draw: file for a picture of that kernel and what it takes away, .png, .svg or .pdf.
        undo: take back what was corrected before instead.
    """
    from experiments import correction

    if undo:
        correction.undo(recording, out, Console())
    else:
        correction.correct(recording, out, protocol, leave_out, electrode_test, draw, Console())


def calibrate(
    recording: Positional[Path],
    model: str,
    out: Path,
    method: Literal["cma", "de", "gradient"] = "cma",
    objective: tuple[Literal["auto", "trace", "coincidence", "rate", "intervals", "van_rossum", "likelihood"], ...] = (
        "auto",
    ),
    budget: int = 2000,
    restarts: int = 4,
    held_out: tuple[str, ...] = (),
    protocol: Path | None = None,
    kind: str | None = None,
    spike_threshold: float | None = None,
    dt: float | None = None,
    bounds: tuple[str, ...] = (),
    fix: tuple[str, ...] = (),
    seed: int = 0,
    resume: bool = False,
) -> None:
    """Fit a neuron model to a recording, and write fit.zarr, report.html, report.json and a Brian2 script, cell.py.

    A run that was stopped goes on with --resume; what it simulated lies in OUT.job until it is done. On several hosts
    run the same command in each process, with JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID set.

    Args:
        recording: a zarr folder with current clamp sweeps.
        model: name of a neuron model; an unknown name lists them.
        out: folder to write; it must not exist, or be empty.
        method: CMA-ES, differential evolution, or the gradient from many starts.
        objective: what is made small, one or more; "auto" chooses by what the recording has.
        budget: simulations of all fitted sweeps.
        restarts: searches side by side.
        held_out: sweeps that are scored and not fitted, by name; the last ones if not given, "none" for none.
        protocol: TOML file with what is known beyond the recording's own protocol.
        kind: which sweeps, for a recording with several kinds.
        spike_threshold: upward crossings of it are spikes, mV; the recording's own spikes, or -20 mV, if not given.
        dt: step of the model, ms; its recommended one if not given.
        bounds: NAME=LOW:HIGH in the parameter's unit; the model's own for those that are not named.
        fix: NAME=VALUE, for parameters that are not fitted.
        seed: of everything random; the same seed gives the same fit.
        resume: go on with the run that was stopped.
    """
    from experiments import hosts
    from experiments.calibration import command
    from experiments.calibration.request import Request

    hosts.join()
    asked = Request(
        recording, model, method, objective, budget, restarts, held_out, protocol, kind, spike_threshold, dt, seed,
        bounds, fix,
    )  # fmt: skip
    command.run(asked, out, resume=resume, console=Console(stderr=True))


def export(recording: Positional[Path], out: Path) -> None:
    """A recording with its provenance as an RO-Crate, for people and tools without this project.

    Args:
        recording: a zarr folder.
        out: the folder to write.
    """
    from twin import crate

    print(crate.export(recording, out))


def ljp(
    pipette: str | None = None,
    bath: str | None = None,
    temperature: float | None = None,
    method: Literal["henderson", "nernst-planck"] = "henderson",
    mobilities: Literal["ng-barry", "ljpcalc"] = "ng-barry",
    recipes: bool = False,
) -> None:
    """The liquid junction potential between two solutions, mV, with its sign convention and uncertainty.

    Args:
        pipette: free ions or salts with mM, such as "K 145, gluconate 145", or a recipe's name such as "k-gluconate".
        bath: the same for the bath, such as "NaCl 145" or "acsf".
        temperature: degrees Celsius; 25 is assumed, and said, where it is not given.
        method: the equation; the other one's value stands beside it.
        mobilities: the set of ionic mobilities.
        recipes: list the recipes that have a name, with their sources.
    """
    from experiments import junction

    if recipes:
        junction.list_recipes(Console())
        return
    equation: Literal["henderson", "nernst_planck"] = "henderson" if method == "henderson" else "nernst_planck"
    table: Literal["ng_barry", "ljpcalc"] = "ljpcalc" if mobilities == "ljpcalc" else "ng_barry"
    junction.show(pipette, bath, temperature, equation, table, Console())


def experiment(
    name: Positional[str],
    data: Path | None = None,
    test: Path | None = None,
    out: Path | None = None,
    seed: int = 0,
) -> None:
    """A named experiment on a public data set, or the list of them.

    Args:
        name: of the experiment, or "list".
        data: folder of the set itself, to fit, validate and score on.
        test: another folder of the same layout, which is only scored; all of --data may be fitted then.
        out: folder to write the report to; it must not exist, or be empty.
        seed: of everything random; the same seed gives the same report.json.
    """
    from experiments import catalogue

    if name == "list":
        catalogue.list_all(Console())
    else:
        catalogue.run(name, data, test, out, seed, Console(stderr=True))


def train(config: Positional[Path], out: Path | None = None) -> None:
    """Train a surrogate on recordings; a run that was stopped goes on exactly where it was.

    Writes a folder with checkpoint (the best weights so far), state.npz, curve.csv and curve.png.

    Args:
        config: TOML file; docs/surrogate.md has one with every key.
        out: folder of the run; the configuration's `out` otherwise.
    """
    from experiments.training import training

    training.train(config, out, Console(stderr=True))


def adapt(
    checkpoint: Positional[Path],
    recordings: Positional[tuple[Path, ...]],
    out: Path,
    minutes: tuple[float, ...] = (),
    steps: int | None = None,
    from_scratch: bool = False,
) -> None:
    """Give a trained surrogate a readout for new sessions or animals; everything that is shared stays frozen.

    Args:
        checkpoint: folder that `twin train` or `twin adapt` wrote.
        recordings: zarr folders of the new sessions.
        out: folder of the run, as that of `twin train`.
        minutes: of training data, for a curve of the score over them (of the first recording).
        steps: gradient steps; as many as the surrogate was trained with otherwise.
        from_scratch: train the same network on the same minutes alone, beside the curve.
    """
    from experiments.training import adapting

    adapting.run(checkpoint, recordings, out, minutes, steps, from_scratch, Console(stderr=True))


COMMANDS: dict[str, Callable] = {
    "demo": demo,
    "data": data,
    "experiment": experiment,
    "ingest": ingest,
    "inspect": inspect,
    "correct": correct,
    "calibrate": calibrate,
    "export": export,
    "ljp": ljp,
    "train": train,
    "adapt": adapt,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    try:
        tyro.extras.subcommand_cli_from_dict(
            COMMANDS,
            prog="twin",
            description="A digital twin of a recorded neural preparation: predictor, mechanism, and the judge.",
            args=arguments,
        )
    except NeurotwinError as error:
        kind = "input error" if isinstance(error, InputError) else "error"
        print(f"twin: {kind}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("twin: interrupted; nothing was written.", file=sys.stderr)
        sys.exit(1)
