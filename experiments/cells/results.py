"""results.zarr of the experiment: every feature of cell, models and baselines, and the fitted parameters."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from experiments.cells.tolerance import NAMES, Values

if TYPE_CHECKING:
    from experiments.cells.experiment import Done, Found


def tree(found: "Found") -> xr.DataTree:
    """Everything as one tree of groups, one for each cell."""
    return xr.DataTree.from_dict({f"/{_key(done.cell.name)}": _cell(done) for done in found.done})


def _key(name: str) -> str:
    return name.replace("/", "_")


def _cell(done: "Done") -> xr.Dataset:
    cell, n = done.cell, len(done.cell.target.sweeps)
    models = [one.model for one in done.predicted]
    predicted = np.full((len(models), n, len(NAMES)), np.nan)
    for k, one in enumerate(done.predicted):
        for row, values in {**one.fitted, **one.held_out}.items():
            predicted[k, row] = _numbers(values)
    held = np.zeros(n, bool)
    held[cell.rows(held_out=True)] = True
    fitted = np.zeros(n, bool)
    fitted[cell.rows(held_out=False)] = True
    parameters = {
        f"parameters_{one.model}": (
            f"parameter_{one.model}",
            np.array(list(one.fit.values.values())),
            {"names": list(one.fit.values), "units": [free.unit for free in one.fit.space.free]},
        )
        for one in done.predicted
        if one.fit is not None
    }
    return xr.Dataset(
        {
            "recorded": (("sweep", "feature"), np.stack([_numbers(values) for values in done.features])),
            "deviation": (("sweep", "feature"), np.array([[one[name] for name in NAMES] for one in done.deviation])),
            "predicted": (("model", "sweep", "feature"), predicted),
            "height": ("sweep", np.array([step.height_na for step in cell.steps]), {"units": "nA"}),
            "is_held_out": ("sweep", held),
            "is_fitted": ("sweep", fitted),
            **parameters,
        },
        coords={
            "sweep": np.array(cell.target.sweeps, object),
            "feature": np.array(NAMES, object),
            "model": np.array(models, object),
        },
        attrs={"split": done.split, "deviation_from": done.deviation_from},
    )


def _numbers(values: Values) -> list[float]:
    return [np.nan if (value := values[name]) is None else value for name in NAMES]
