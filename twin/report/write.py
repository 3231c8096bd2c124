"""Write a report to its folder: all of `report.html`, `report.json` and `results.zarr`, or nothing."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from twin.errors import InputError, NeurotwinError
from twin.report.html import render
from twin.report.report import Report, to_json

if TYPE_CHECKING:
    import xarray


def check_out_dir(out_dir: str | Path) -> Path:
    """Check that a report can be written to a folder; call it before long work starts.

    Returns:
        The folder's absolute path.

    Raises:
        InputError: it is a file, or a folder that is not empty, or one that cannot be written to.
    """
    out = Path(out_dir).absolute()
    if out.exists() or out.is_symlink():
        if not out.is_dir():
            raise InputError(f"{out_dir} is a file; give the name of a new or an empty folder.")
        if any(out.iterdir()):
            raise InputError(f"{out_dir} is not empty; give the name of a new folder, or empty this one first.")
    nearest = next(folder for folder in (out, *out.parents) if folder.exists())
    if not nearest.is_dir():
        raise InputError(f"{out_dir} lies below {nearest}, which is a file; give a folder in another place.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError(f"{out_dir} cannot be made, because {nearest} is read-only; give a folder in another place.")
    return out


def write(report: Report, out_dir: str | Path, results: "xarray.DataTree | None" = None) -> Path:
    """Write `report.html`, `report.json` and, where there are results, `results.zarr` (zarr v3) to a folder.

    Everything is written to a hidden folder first and then renamed, so that an error or an interrupt leaves nothing.

    Args:
        report: what to write.
        out_dir: a folder that does not exist or is empty.
        results: the raw statistics behind the claims and scores.

    Returns:
        The folder.

    Raises:
        InputError: `out_dir` cannot be used (see `check_out_dir`), or the report does not follow its schema.
        NeurotwinError: the disk is full or refuses the files.
    """
    out = check_out_dir(out_dir)
    texts = {"report.html": render(report), "report.json": to_json(report)}
    try:
        with _all_or_nothing(out) as staging:
            if results is not None:
                _storable(results).to_zarr(staging / "results.zarr", zarr_format=3, consolidated=False)
            for name, text in texts.items():
                (staging / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise NeurotwinError(
            f"{out_dir}: the report could not be written ({error}); nothing was left there, so try again in a place "
            "with more room."
        ) from error
    return out


@contextlib.contextmanager
def _all_or_nothing(out: Path) -> Iterator[Path]:
    """A hidden folder to write to, which becomes `out` at the end or disappears.

    It lies beside `out`. An empty folder that exists may be a mount point or somebody's working directory, which
    cannot be replaced; then it lies inside, and its content is moved up.
    """
    existed = out.exists()
    made = [folder for folder in out.parents if not folder.exists()]
    staging = (out if existed else out.parent) / f".{out.name}-{uuid.uuid4().hex}"
    moved: list[Path] = []
    try:
        staging.mkdir(parents=True)
        yield staging
        if existed:
            for part in sorted(staging.iterdir()):
                moved.append(part.rename(out / part.name))
            staging.rmdir()
        else:
            staging.rename(out)
    except BaseException:
        for leftover in (staging, *moved):
            _remove(leftover)
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _storable(results: "xarray.DataTree") -> "xarray.DataTree":
    """A copy whose text has variable length: zarr v3 specifies no text of fixed length (numpy's `<U`)."""

    def convert(dataset: "xarray.Dataset") -> "xarray.Dataset":
        fixed = {name: variable for name, variable in dataset.variables.items() if variable.dtype.kind == "U"}
        return dataset.assign(
            {name: (text.dims, text.values.astype(object), text.attrs) for name, text in fixed.items()}
        )

    return results.map_over_datasets(convert)
