"""results.zarr of the experiment: recorded and predicted activity of the scored trials, and each neuron's scores."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from experiments.v1_transfer.scoring import Figures
from experiments.v1_transfer.transfer import inputs_of
from experiments.v1_transfer.words import spoken

if TYPE_CHECKING:
    from experiments.v1_transfer.experiment import Found

PLACE = ("trial", "time", "neuron")


def tree(found: "Found", figures: Figures) -> xr.DataTree:
    """A group for each mouse."""
    groups: dict[str, xr.Dataset] = {}
    for number, one in enumerate(found.left_out):
        mouse = one.mouse
        coordinates = {"time": ("time", mouse.time_s, {"units": "s"}), "trial": mouse.scored}
        for amount in dict.fromkeys(amount for amount, _ in one.predicted):
            variables = {
                model: (PLACE, predicted.astype(np.float32), {"inputs": spoken(inputs_of(model))})
                for (of, model), predicted in one.predicted.items()
                if of == amount
            }
            variables["recorded"] = (PLACE, mouse.activity[mouse.scored].astype(np.float32), {})
            variables["direction"] = ("trial", mouse.direction[mouse.scored], {"units": "deg"})  # type: ignore[assignment]
            attributes = {"group": mouse.group, "core_trained_on": list(one.pretrained_on)}
            groups[f"/{mouse.name}/{amount}"] = xr.Dataset(variables, coordinates, attributes)
        scores = {
            f"{amount}_{model}_{metric}": ("neuron", values[number])
            for (split, amount, model, metric), values in figures.neurons.items()
            if split == "test"
        }
        groups[f"/{mouse.name}/scores"] = xr.Dataset(scores)
    return xr.DataTree.from_dict(groups)
