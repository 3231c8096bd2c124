"""A fit on disk: a folder in zarr v3, which is there whole or not at all."""

import contextlib
import dataclasses
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from biophys.calibrate.course import History
from biophys.calibrate.curvature import Curvature
from biophys.calibrate.fit import Fit
from biophys.calibrate.frames import Frames
from biophys.calibrate.methods.method import Ending
from biophys.calibrate.script import STIMULUS
from biophys.calibrate.space import Free, Prior, Space
from biophys.models.library import ALL
from biophys.models.model import NeuronModel
from twin.errors import InputError
from twin.provenance import versions

STORE, SCRIPT = "fit.zarr", "cell.py"
_VERSION = 1


def save(fit: Fit, folder: str | Path, *, overwrite: bool = False) -> Path:
    """Write `fit.zarr`, a Brian2 script of the cell and the currents that it reads, into a folder.

    Args:
        fit: any.
        folder: made if it is not there.
        overwrite: replace a fit that is there; it stays until the new one is complete.

    Raises:
        InputError: there is a fit already.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / STORE
    if place.exists() and not overwrite:
        raise InputError(f"{place}: exists already; give another folder, or overwrite=True.")
    scratch = Path(tempfile.mkdtemp(prefix=".fit-", dir=folder))
    try:
        _tree(fit).to_zarr(scratch / STORE, zarr_format=3, consolidated=False, write_empty_chunks=True)
        np.save(scratch / STIMULUS, fit.current_na)
        (scratch / SCRIPT).write_text(fit.brian2_script(), encoding="utf-8")
        if place.exists():
            place.rename(scratch / "old")
        for name in (STIMULUS, SCRIPT, STORE):
            (scratch / name).replace(folder / name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(scratch)
    return place


def load(folder: str | Path, model: NeuronModel | None = None) -> Fit:
    """A fit that `save` wrote; its `problem` is None.

    Args:
        folder: that was given to `save`.
        model: that was fitted, where it is none of the library.

    Raises:
        InputError: there is none, or the model is another one.
    """
    place = Path(folder) / STORE
    if not place.is_dir():
        raise InputError(f"{place}: no such fit; give the folder that a calibration wrote.")
    try:
        with xr.open_datatree(place, engine="zarr", consolidated=False, chunks=None) as stored:
            tree = {node.path: node.to_dataset(inherit=False).load() for node in stored.subtree}
            facts = json.loads(stored.attrs["fit"])
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{place}: cannot be read ({error}); fit again.") from error
    if facts["version"] != _VERSION:
        raise InputError(f"{place}: is of version {facts['version']}, and {_VERSION} is read here; fit again.")
    found = model or ALL.get(facts["model"])
    if found is None or found.equations != facts["equations"]:
        raise InputError(
            f"{place}: is of the model {facts['model']}, whose equations are not these; pass it as model=."
        )
    return _fit(tree, facts, found)


def _tree(fit: Fit) -> xr.DataTree:
    names = list(fit.space.names)
    sets = xr.Dataset(
        {
            "value": (("set", "free"), fit.sets),
            "loss": ("set", fit.set_losses),
            **{f"held_out_{k}": ("set", np.asarray(loss)) for k, loss in enumerate(fit.held_out.values())},
        },
        attrs={"free": names, "units": [one.unit for one in fit.space.free], "held_out": list(fit.held_out)},
    )
    history = xr.Dataset(
        {
            "position": (("simulation", "free"), fit.history.positions),
            "loss": ("simulation", fit.history.loss),
            "term": (("simulation", "objective"), fit.history.terms),
            "generation": ("simulation", fit.history.generation),
        },
        attrs={"free": names, "objective": list(fit.terms)},
    )
    groups = {
        "/sets": sets,
        "/history": history,
        "/stimulus": xr.Dataset({"current": (("sweep", "time"), fit.current_na, {"units": "nA"})}),
    }
    if fit.curvature is not None:
        groups["/curvature"] = xr.Dataset(
            {
                "mode": ("free", fit.curvature.mode),
                "information": (("free", "other"), fit.curvature.information),
                "spectrum": ("direction", fit.curvature.spectrum),
            },
            attrs={"free": names, "loss": fit.curvature.loss},
        )
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {"fit": json.dumps(_facts(fit)), "versions": versions()}
    return tree


def _facts(fit: Fit) -> dict[str, Any]:
    """What are no arrays."""
    return {
        "version": _VERSION,
        "recording": fit.recording,
        "model": fit.model.name,
        "equations": fit.model.equations,
        "free": [dataclasses.asdict(one) for one in fit.space.free],
        "fixed": dict(fit.fixed),
        "values": dict(fit.values),
        "loss": fit.loss,
        "terms": dict(fit.terms),
        "intervals": {name: list(edges) for name, edges in fit.intervals.items()},
        "interval_kind": fit.interval_kind,
        "frames": dataclasses.asdict(fit.frames),
        "ending": [fit.history.ending.converged, fit.history.ending.reason],
        "wall_s": fit.history.wall_s,
        "resumed": fit.history.resumed,
        "dt_s": fit.dt_s,
        "settle_steps": fit.settle_steps,
    }


def _fit(tree: dict[str, xr.Dataset], facts: dict[str, Any], model: NeuronModel) -> Fit:
    priors = [None if one["prior"] is None else Prior(**one["prior"]) for one in facts["free"]]
    space = Space(tuple(Free(**{**one, "prior": prior}) for one, prior in zip(facts["free"], priors, strict=True)))
    sets, past, bend = tree["/sets"], tree["/history"], tree.get("/curvature")
    history = History(
        positions=past["position"].values,
        loss=past["loss"].values,
        terms=past["term"].values,
        generation=past["generation"].values,
        ending=Ending(*facts["ending"]),
        wall_s=facts["wall_s"],
        resumed=facts["resumed"],
    )
    found = None
    if bend is not None:
        found = Curvature(space, bend["mode"].values, float(bend.attrs["loss"]), bend["information"].values)
    return Fit(
        **{name: facts[name] for name in ("recording", "fixed", "values", "loss", "terms", "interval_kind")},
        **{name: facts[name] for name in ("dt_s", "settle_steps")},
        model=model,
        space=space,
        intervals={name: (low, high) for name, (low, high) in facts["intervals"].items()},
        sets=sets["value"].values,
        set_losses=sets["loss"].values,
        held_out={name: sets[f"held_out_{k}"].values for k, name in enumerate(sets.attrs["held_out"])},
        frames=Frames(**facts["frames"]),
        curvature=found,
        history=history,
        current_na=tree["/stimulus"]["current"].values,
        problem=None,
    )
