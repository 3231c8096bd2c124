"""The command `twin calibrate`: read, choose, fit, score, verify, write."""

import contextlib
import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from biophys import calibrate as calibration
from biophys.calibrate import hosts
from biophys.calibrate.methods.method import Method
from experiments.calibration import page
from experiments.calibration.choices import Chosen, choose_method, choose_objective
from experiments.calibration.request import Material, Request, has_spikes, read
from experiments.calibration.scores import Scored, score
from experiments.calibration.verify import Verified, verify
from twin import report
from twin.errors import InputError, NeurotwinError


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """Everything that the command found, for the page.

    Attributes:
        asked: the options.
        material: what was fitted and what was held out.
        objective: what was made small.
        method: the search.
        fit: the result.
        scored: the fitted sweeps.
        other: the held-out sweeps; None without any.
        verified: whether Brian2 alone agrees.
    """

    asked: Request
    material: Material
    objective: Chosen
    method: Method
    fit: calibration.Fit
    scored: Scored
    other: Scored | None
    verified: Verified

    @property
    def has_spikes(self) -> bool:
        """Whether the fitted sweeps have any."""
        return has_spikes(self.material.fitted)


def run(asked: Request, out: Path, *, resume: bool, console: Console) -> Path:
    """Fit, and write fit.zarr, cell.py, report.html and report.json to a folder: all of them, or none.

    Over several processes each works its share, and the first writes. While it works, what was simulated is kept in
    the folder OUT.job beside it, from which a stopped run goes on.

    Raises:
        InputError: `out` cannot be used, an option does not fit the recording, or a job is there and not resumed.
        NeurotwinError: no parameter set gave a finite loss, or the work was stopped.
    """
    out = report.check_out_dir(out)
    with _double_precision():
        material = read(asked)
        objective = choose_objective(asked.objective, material.model, material.fitted, asked.method)
        method = choose_method(asked.method, asked.restarts, objective.names)
        with _job(out, resume) as job:
            with _bar(console) as progress:
                fit = _fit(asked, material, objective, method, job, progress)
            console.print("scoring ...", highlight=False)
            found = _scored(asked, material, objective, method, fit)
            if not hosts.is_first():
                return out
            _write(found, out)
        shutil.rmtree(job)
    page.print_parameters(found, console)
    print(out / "report.html")
    return out


def _fit(
    asked: Request,
    material: Material,
    objective: Chosen,
    method: Method,
    job: Path,
    progress: Callable[[float, float], None],
) -> calibration.Fit:
    return calibration.calibrate(
        material.fitted,
        material.model,
        material.free,
        objective.weighted,
        method,
        asked.budget,
        jax.random.key(asked.seed),
        fixed=material.fixed,
        held_out=material.held_out or (),
        dt_s=None if asked.dt_ms is None else 1e-3 * asked.dt_ms,
        settle_s=material.settle_s,
        # second derivatives need it; a search alone is twice as fast without
        dtype=np.float64 if objective.is_likelihood else np.float32,
        folder=job,
        progress=progress,
    )


def _scored(asked: Request, material: Material, objective: Chosen, method: Method, fit: calibration.Fit) -> Found:
    scored = score(fit, material.fitted)
    other = None if material.held_out is None else score(fit, material.held_out, material.fitted)
    return Found(asked, material, objective, method, fit, scored, other, verify(fit, scored.free))


def _write(found: Found, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        report.write(page.compose(found), staging)
        calibration.save(found.fit, staging)
        staging.chmod(0o755)  # a temporary folder is its owner's alone
        if out.exists():
            out.rmdir()  # it is empty: `check_out_dir` saw to that
        staging.rename(out)
    except OSError as error:
        raise NeurotwinError(
            f"{out}: the result could not be written ({error}); the simulations are kept, so make room and run the "
            "same command with --resume."
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextlib.contextmanager
def _job(out: Path, resume: bool) -> Iterator[Path]:
    """The folder of the job. It stays when the work is stopped or cannot be written, and goes when it was in vain."""
    job = out.with_name(f"{out.name}.job")
    was_there = bool(hosts.agreed(job.exists()))
    if was_there and not resume:
        raise InputError(
            f"{job}: holds a calibration that was stopped; add --resume to go on with it, or remove it to begin anew."
        )
    if resume and not was_there:
        raise InputError(f"{job}: no such job to go on with; leave out --resume to begin one.")
    try:
        yield job
    except KeyboardInterrupt:
        raise NeurotwinError(
            f"stopped; what was simulated is kept in {job}: run the same command with --resume to go on."
        ) from None
    except NeurotwinError as error:
        if not was_there and not isinstance(error.__cause__, OSError):
            shutil.rmtree(job, ignore_errors=True)
        raise


@contextlib.contextmanager
def _bar(console: Console) -> Iterator[Callable[[float, float], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    if not console.is_terminal:
        console.print("calibrate ...", highlight=False)
    with Progress(*columns, console=console) as bars:
        task = bars.add_task("calibrate", total=1.0)
        yield lambda share, best: bars.update(task, completed=share, description=f"calibrate, loss {best:.4g}")


@contextlib.contextmanager
def _double_precision() -> Iterator[None]:
    # The page's responses are compared with Brian2's, which counts in double precision.
    before = jax.config.read("jax_enable_x64")
    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)
