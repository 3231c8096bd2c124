"""results.zarr of the experiment: correlations and kinetics of cells, and predictions of every frame."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from experiments.calcium.models import Predicted
from experiments.calcium.scoring import ALL, Figures
from surrogate.heads.calcium import Kinetics, Noise

if TYPE_CHECKING:
    from experiments.calcium.experiment import Found

STORED = ("surrogate", "adapted", "one_kernel")


def tree(found: "Found", scored: Mapping[str, Figures]) -> xr.DataTree:
    """Everything as one tree of groups."""
    groups = {}
    for split, predicted in found.predicted.items():
        groups[f"/{split}/cells"] = _cells(predicted, scored[split])
        groups[f"/{split}/data_sets"] = _data_sets(scored[split])
        groups[f"/{split}/frames"] = _frames(predicted)
    return xr.DataTree.from_dict(groups)


def _cells(predicted: Predicted, figures: Figures) -> xr.Dataset:
    names = predicted.corpus.cells
    variables = {
        f"r {model}, {condition}": ("cell", np.array([one.get(cell, np.nan) for cell in names]))
        for (condition, model), one in figures.cells.items()
    }
    variables |= {
        f"{told} {field}": ("cell", values)
        for told, kinetics in (("prior", predicted.prior.mean), ("adapted", predicted.kinetics))
        for field, values in zip(Kinetics._fields, kinetics.T, strict=True)
    }
    variables |= {
        f"noise {field}": ("cell", np.asarray(values))
        for field, values in zip(Noise._fields, predicted.noise.noise, strict=True)
    }
    variables |= {"noise centre": ("cell", predicted.noise.centre), "noise unit": ("cell", predicted.noise.unit)}
    return xr.Dataset(variables, coords={"cell": np.array(names, dtype=object)})


def _data_sets(figures: Figures) -> xr.Dataset:
    """Median over the cells of each data set, with its interval over cells."""
    names = list(figures.sets[ALL, "surrogate"])
    variables: dict[str, tuple[str, np.ndarray]] = {}
    for (condition, model), sets in figures.sets.items():
        known = [sets.get(name) for name in names]
        bounds = {
            "": [np.nan if one is None else one.value for one in known],
            " low": [np.nan if one is None else one.interval.low for one in known],
            " high": [np.nan if one is None else one.interval.high for one in known],
        }
        variables |= {f"r {model}, {condition}{bound}": ("data_set", np.array(one)) for bound, one in bounds.items()}
    return xr.Dataset(variables, coords={"data_set": np.array(names, dtype=object)})


def _frames(predicted: Predicted) -> xr.Dataset:
    """All segments one after the other, each from its first frame on."""
    segments = predicted.corpus.segments
    lengths = [len(one.dff) for one in segments]
    variables = {
        name: ("frame", np.concatenate(predicted.traces[name]).astype(np.float32), {"units": "1"}) for name in STORED
    }
    return xr.Dataset(
        {**variables, "first_frame": ("segment", np.cumsum([0, *lengths[:-1]])), "n_frames": ("segment", lengths)},
        coords={"segment": np.array([one.name for one in segments], dtype=object)},
    )
