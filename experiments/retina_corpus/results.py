"""results.zarr of the experiment: scores and ridges of each recording, what the gate said, what names the study."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from experiments.retina_corpus.rounds import TASKS
from experiments.retina_corpus.verdicts import GOALS

if TYPE_CHECKING:
    from experiments.retina_corpus.experiment import Found


def tree(found: "Found") -> xr.DataTree:
    """Everything as one tree of groups."""
    groups = {"/recordings": _recordings(found), "/gate": _gate(found)}
    groups |= {f"/scores/{metric}": _scores(found, metric) for metric in GOALS}
    for feature, values in found.features.items():
        named = found.named.get(feature)
        variables = {"feature": (("recording", "column"), values), "study": ("recording", _texts(found.studies))}
        if named is not None:
            variables["named"] = ("recording", _texts(named.named))
        groups[f"/studies/{feature}"] = xr.Dataset(variables, coords={"recording": _texts(found.names)})
    return xr.DataTree.from_dict(groups)


def _recordings(found: "Found") -> xr.Dataset:
    own = [each.recording for each in found.scored]
    ridges = np.array([[each.ridges[task] for task in TASKS] for each in found.scored])
    variables = {
        "study": ("recording", _texts([one.study for one in own])),
        "units": ("recording", np.array([one.counts.shape[1] for one in own])),
        "duration": ("recording", np.array([one.duration_s for one in own]), {"units": "s"}),
        "ridge": (("recording", "task"), ridges),
    }
    coords = {"recording": _texts([one.name for one in own]), "task": _texts(["_".join(task) for task in TASKS])}
    return xr.Dataset(variables, coords=coords)


def _scores(found: "Found", metric: str) -> xr.Dataset:
    models = list(dict.fromkeys(model for each in found.scored for own, model in each.bits if own == metric))
    values = np.array([[each.bits.get((metric, model), np.nan) for model in models] for each in found.scored])
    names = [each.recording.name for each in found.scored]
    return xr.Dataset(
        {metric: (("recording", "model"), values, {"units": "bit"})},
        coords={"recording": _texts(names), "model": _texts(models)},
    )


def _gate(found: "Found") -> xr.Dataset:
    columns = {
        "left_out": [", ".join(one.left_out) for one in found.answers],
        "covariate": [one.covariate for one in found.answers],
        "verdict": [one.verdict for one in found.answers],
        "reason": [one.reason for one in found.answers],
    }
    return xr.Dataset({name: ("answer", _texts(values)) for name, values in columns.items()})


def _texts(values: "list[str] | np.ndarray") -> np.ndarray:
    return np.array([str(value) for value in values], dtype=object)
