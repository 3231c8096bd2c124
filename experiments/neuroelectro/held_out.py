"""Rows of another folder: predicted from models that were fitted to the first folder alone."""

import numpy as np
import xarray as xr

from experiments.neuroelectro.additive import Measured, fit
from experiments.neuroelectro.coding import METADATA, Coding
from experiments.neuroelectro.leave_out import PENALTY, Predictions
from experiments.neuroelectro.stepwise import stepwise
from experiments.neuroelectro.table import NAMES, texts
from twin.errors import InputError


def refuse_shared_articles(data: xr.Dataset, test: xr.Dataset) -> None:
    """Check that no article is in both folders.

    Raises:
        InputError: one is; it would be predicted from itself.
    """
    articles = set(texts(test, "article"))
    shared = sorted(set(texts(data, "article")) & articles)
    if shared:
        raise InputError(
            f"--test: {len(shared)} of its {len(articles)} articles are in --data too, the first is "
            f"{shared[0]}; give folders without a common article."
        )


def score(rows: xr.Dataset, test_rows: xr.Dataset, coding: Coding) -> dict[str, Predictions]:
    """For each property, predictions of the rows whose neuron type the first folder has; none without such rows."""
    found, types = {}, texts(test_rows, "neuron_type")
    for name in NAMES:
        data = Measured.of(rows, name, coding)
        test = Measured.of(test_rows.isel(row=np.isin(types, data.type_names)), name, coding)
        if len(test.values):
            found[name] = _predict(data, test)
    return found


def _predict(data: Measured, test: Measured) -> Predictions:
    chosen = stepwise(data)
    models = {
        "type_only": ((), fit(data, data.conditions(()))),
        "type_and_chosen_terms": (chosen.terms, chosen.model),
        "type_and_metadata": (METADATA, fit(data, data.conditions(METADATA))),
        "type_and_metadata_ridge": (METADATA, fit(data, data.conditions(METADATA), penalty=PENALTY)),
    }
    types = np.searchsorted(data.type_names, test.type_names)[test.types]
    predicted = {name: model.predict(types, test.conditions(terms)) for name, (terms, model) in models.items()}
    n = len(test.values)
    return Predictions(test, predicted, np.full(n, data.values.mean()), np.ones(n, bool))
