"""results.zarr of the experiment: raw and adjusted values, predictions, nulls, shifts and islands."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from experiments.neuroelectro.leave_out import Predictions
from experiments.neuroelectro.table import PROPERTIES

if TYPE_CHECKING:
    from experiments.neuroelectro.experiment import Found


def tree(found: "Found") -> xr.DataTree:
    """Everything as one tree of groups."""
    groups = {"/rows": _rows(found), "/junction": _junction(found), "/islands": _islands(found)}
    for name, chosen in found.chosen.items():
        columns = found.coding.columns(chosen.terms)
        groups[f"/models/{name}"] = xr.Dataset(
            {"effect": ("column", chosen.model.effects)},
            coords={
                "column": _texts([f"{term}: {level}" if level else f"{term} (SD)" for term, level in columns]),
            },
        )
    for name, one in found.left_out.items():
        groups[f"/leave_one_lab_out/{name}"] = _predictions(one).assign(permuted_gain=("permutation", found.null[name]))
    for name, steps in found.ladders.items():
        for separation, one in steps.items():
            groups[f"/ladder/{separation.replace(' ', '_')}/{name}"] = _predictions(one)
    for name, one in (found.held_out or {}).items():
        groups[f"/test/{name}"] = _predictions(one)
    return xr.DataTree.from_dict(groups)


def _rows(found: "Found") -> xr.Dataset:
    rows = found.selected.rows
    for one in PROPERTIES:
        unit = f"log10({one.unit})" if one.log else one.unit
        rows = rows.assign({f"{one.name}_adjusted": ("row", found.adjusted(one.name))})
        for name in (one.name, f"{one.name}_adjusted"):
            rows[name].attrs["units"] = unit
    return rows


def _predictions(one: Predictions) -> xr.Dataset:
    variables = {
        "value": ("row", one.data.values),
        "predicted": (("model", "row"), np.stack(list(one.predicted.values()))),
        "training_mean": ("row", one.baseline),
        "is_scored": ("row", one.scored),
        "neuron_type": ("row", one.data.rows["neuron_type"].values),
        "lab": ("row", one.data.rows["lab"].values),
        "article": ("row", one.data.rows["article"].values),
    }
    return xr.Dataset(variables, coords={"model": _texts(list(one.predicted))})


def _junction(found: "Found") -> xr.Dataset:
    shifts = found.junction.shifts
    texts = {
        name: ("shift", _texts([getattr(one, name) for one in shifts]))
        for name in ("property", "contrast", "held_equal")
    }
    numbers = {
        "value": ("shift", np.array([one.value_mv for one in shifts]), {"units": "mV"}),
        "low": ("shift", np.array([one.interval.low for one in shifts]), {"units": "mV"}),
        "high": ("shift", np.array([one.interval.high for one in shifts]), {"units": "mV"}),
        "p": ("shift", np.array([one.p for one in shifts])),
        "n_rows": ("shift", np.array([one.n for one in shifts])),
    }
    return xr.Dataset({**texts, **numbers})


def _islands(found: "Found") -> xr.Dataset:
    graph = found.gate.labs
    variables = {
        "rows": (("neuron_type", "lab"), graph.counts),
        "type_island": ("neuron_type", graph.component),
        "lab_island": ("lab", graph.other_component),
    }
    coords = {"neuron_type": _texts(list(graph.levels)), "lab": _texts(list(graph.other_levels))}
    return xr.Dataset(variables, coords=coords)


def _texts(values: list[str]) -> np.ndarray:
    return np.array(values, dtype=object)
