"""How spike trains and parameters of restarts lie in results.zarr."""

import numpy as np
import xarray as xr

from experiments.spike_fits.restarts import Restarts


def spikes(trains: tuple[np.ndarray, ...]) -> xr.Dataset:
    """Spike times of trains one after the other, with the number of the train of each."""
    times = np.concatenate([np.zeros(0), *trains])
    index = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    return xr.Dataset(
        {"spike_time": ("spike", times, {"units": "s"}), "train": ("spike", index)}, attrs={"n_trains": len(trains)}
    )


def parameters(fit: Restarts) -> xr.Dataset:
    """Parameters of each restart, in their units, and its loss."""
    variables = {
        name: ("restart", values, {"units": fit.model.parameter(name).unit_text}) for name, values in fit.values.items()
    }
    return xr.Dataset({**variables, "loss": ("restart", fit.losses)}, attrs={"ending": fit.ending})
