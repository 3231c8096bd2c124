"""results.zarr of the experiment: every scored choice with what each model gave for it."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from experiments.choice.predicting import Group

if TYPE_CHECKING:
    from experiments.choice.experiment import Found


def tree(found: "Found") -> xr.DataTree:
    """A group for each condition."""
    return xr.DataTree.from_dict({f"/{one.group.name}": _choices(one.group) for one in found.scored})


def _choices(group: Group) -> xr.Dataset:
    lengths = [len(one) for one in group.sessions]
    variables = {
        "choice": ("choice", np.concatenate([one.choice for one in group.sessions]).astype(np.int8)),
        "session_index": ("choice", np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)),
        "chance_of_choice_1": (
            ("model", "choice"),
            np.stack([np.concatenate(rows) for rows in group.chances.values()]).astype(np.float32),
        ),
        "subject": ("session", _texts([one.subject for one in group.sessions])),
        "session": ("session", _texts([one.name for one in group.sessions])),
    }
    return xr.Dataset(variables, coords={"model": _texts(list(group.chances))})


def _texts(values: list[str]) -> np.ndarray:
    return np.array(values, dtype=object)
