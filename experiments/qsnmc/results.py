"""results.zarr of the experiment: recorded and predicted spikes of every stimulus, and the parameters behind them."""

from typing import TYPE_CHECKING

import xarray as xr

from experiments.spike_fits.store import parameters, spikes

if TYPE_CHECKING:
    from experiments.qsnmc.experiment import Found


def tree(found: "Found") -> xr.DataTree:
    """Everything as one tree of groups."""
    groups: dict[str, xr.Dataset] = {}
    for split, predicted in found.predicted.items():
        for name, one in predicted.items():
            every = {"recorded": found.of(split).real(name).trains, **one.trains()}
            groups |= {f"/{split}/{name}/{model}": spikes(trains) for model, trains in every.items()}
    fits = {f"without_{name}": one for name, one in found.left_out.items()} | {"all": found.fitted_to_all}
    for name, fitted in fits.items():
        for model, restarts in {**fitted.restarts, "gif_coupled": fitted.escape}.items():
            groups[f"/fits/{name}/{model}"] = parameters(restarts)
    return xr.DataTree.from_dict(groups)
