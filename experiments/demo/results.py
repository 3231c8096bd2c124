"""results.zarr of the demo: the recordings, what was generated, what was found, and the figures behind the scores."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from experiments.demo import perturbing

if TYPE_CHECKING:
    from experiments.demo.story import Found


def tree(found: "Found") -> xr.DataTree:
    """Everything as one tree of groups."""
    groups: dict[str, xr.Dataset | xr.DataTree] = {
        "/parameters": _parameters(found),
        "/training": _training(found),
        "/predictions": _predictions(found),
        "/perturbations/sodium_block": _effects(found.blocks, "dose", np.array(perturbing.DOSES)),
        "/perturbations/conditions": _effects(
            found.effects, "condition", np.array(list(perturbing.CONDITIONS), object)
        ),
    }
    for name, calibrated in {"circuit": found.circuit, "twin": found.twin}.items():
        groups[f"/calibration/{name}"] = _calibration(calibrated)
    for name, generated in found.generated.items():
        groups[f"/generated/{name}"] = generated
    for name, recorded in found.recordings.items():
        groups[f"/recordings/{name}"] = recorded
    return xr.DataTree.from_dict(_flat(groups))


def _flat(groups: dict[str, xr.Dataset | xr.DataTree]) -> dict[str, xr.Dataset]:
    flat: dict[str, xr.Dataset] = {}
    for path, group in groups.items():
        if isinstance(group, xr.DataTree):
            for node in group.subtree:
                flat[(path + "/" + node.relative_to(group)).removesuffix("/.")] = node.to_dataset(inherit=False)
        else:
            flat[path] = group
    return flat


def _parameters(found: "Found") -> xr.Dataset:
    rows = found.cell.log
    text = {name: [getattr(row, name) for row in rows] for name in ("unit", "correction", "source")}
    variables = {name: ("quantity", np.array(values, object)) for name, values in text.items()}
    variables |= {name: ("quantity", np.array([getattr(row, name) for row in rows])) for name in ("raw", "corrected")}
    return xr.Dataset(variables, coords={"quantity": np.array([row.quantity for row in rows], object)})


def _training(found: "Found") -> xr.Dataset:
    fit = found.surrogate
    curves = {"train_bits": ("step", fit.train_bits), "validation_bits": ("step", fit.validation_bits)}
    return xr.Dataset(curves, coords={"step": fit.steps})


def _predictions(found: "Found") -> xr.Dataset:
    names = list(found.predictions)
    rates = np.stack([found.predictions[name].rate_hz for name in names])
    dataset = xr.Dataset({"rate": (("model", "bin"), rates)}, coords={"model": np.array(names, object)})
    dataset["rate"].attrs["units"] = "Hz"
    return dataset


def _calibration(calibrated) -> xr.Dataset:
    names, found = list(calibrated.values), calibrated.calibration
    variables = {
        "value": ("parameter", np.array(list(calibrated.values.values()))),
        "spread": ("parameter", np.array([found.spread[name] for name in names])),
        "best_loss": ("generation", found.best_loss),
        "median_loss": ("generation", found.median_loss),
    }
    attributes = {"ending": found.ending, "simulations": found.simulations}
    return xr.Dataset(variables, coords={"parameter": np.array(names, object)}, attrs=attributes)


def _effects(effects: dict[str, perturbing.Effect], axis: str, values: np.ndarray) -> xr.Dataset:
    models = list(effects)
    rates = np.stack([effects[name].rates_hz for name in models])
    controls = np.stack([effects[name].control_hz for name in models])
    variables = {"rate": (("model", axis, "trial"), rates), "control": (("model", "trial"), controls)}
    dataset = xr.Dataset(variables, coords={"model": np.array(models, object), axis: values})
    for variable in dataset.data_vars.values():
        variable.attrs["units"] = "Hz"
    return dataset
