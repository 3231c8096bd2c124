"""results.zarr of the experiment: recorded and predicted spikes, expected counts, voltages, parameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from experiments.spike_fits.coupled_gif import ESCAPE
from experiments.spike_fits.store import parameters, spikes

if TYPE_CHECKING:
    from experiments.gif_cell.experiment import Found


def tree(found: "Found") -> xr.DataTree:
    """Everything as one tree of groups."""
    groups = {"/electrode": _electrode(found), "/expected": _expected(found), "/voltage": _voltage(found)}
    for split, predicted in (("validation", found.validation), ("test", found.test)):
        every = {"recorded": predicted.real.trains, "vote": (predicted.vote,)}
        every |= {**predicted.restarts, **predicted.trials}
        groups |= {f"/{split}/{name}": spikes(trains) for name, trains in every.items()}
    for name, one in found.fits.items():
        groups[f"/fits/{name}"] = parameters(one)
    for version, escapes in found.escapes.items():
        groups[f"/fits/gif_coupled_{version}"] = _one(escapes.final.values)
    return xr.DataTree.from_dict(groups)


def _one(values: Mapping[str, float]) -> xr.Dataset:
    return xr.Dataset(
        {name: ((), value, {"units": ESCAPE.parameter(name).unit_text}) for name, value in values.items()}
    )


def _electrode(found: "Found") -> xr.Dataset:
    kernel = found.cell.kernel
    lag = np.arange(len(kernel.kernel_mohm)) * float(kernel.dt_ms)
    return xr.Dataset(
        {
            "kernel": ("lag", kernel.kernel_mohm, {"units": "MOhm"}),
            "kernel_sd": ("lag", kernel.kernel_sd_mohm, {"units": "MOhm"}),
        },
        coords={"lag": ("lag", lag, {"units": "ms"})},
    )


def _expected(found: "Found") -> xr.Dataset:
    variables = {name: (("repeat", "bin"), one.astype(np.float32)) for name, one in found.expected.items()}
    return xr.Dataset(
        {**variables, "recorded": (("repeat", "bin"), found.counts.astype(np.int8))}, attrs={"bin_s": 0.001}
    )


def _voltage(found: "Found") -> xr.Dataset:
    variables = {
        f"forced_{version}": (("repeat", "time"), one.astype(np.float32), {"units": "mV"})
        for version, one in found.voltages_mv.items()
    }
    return xr.Dataset(variables, attrs={"dt_s": found.cell.raw.dt_s})
