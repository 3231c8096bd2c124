"""A small report with every kind of claim and score, for every test of the page and its files."""

from typing import Any

import numpy as np
import pytest

from twin.report import Figure, Report, Section, Table, figures

Row = dict[str, Any]


def _claim(**changes: Any) -> Row:
    row = {
        "level": "L1",
        "name": "firing_rate",
        "verdict": "pass",
        "figure": 0.031,
        "low": -0.012,
        "high": 0.074,
        "n": 142,
        "unit": "trial",
        "separation": "session",
        "margin": 0.1,
        "reason": "",
    }
    return row | changes


def _score(**changes: Any) -> Row:
    row = {
        "split": "test",
        "condition": "all",
        "model": "twin",
        "metric": "bits_per_spike",
        "value": 0.8123,
        "low": 0.7712,
        "high": 0.8534,
        "n": 142,
        "unit": "trial",
    }
    return row | changes


@pytest.fixture(scope="session")
def drawings() -> dict[str, Figure]:
    trains = [np.array([0.1, 0.2, 0.7]), np.array([0.4])]
    curves = {"twin": ([1, 2], [0, 1], [2, 3]), "circuit": ([1, 3], [0, 2], [2, 4])}
    return {
        "raster": figures.raster(trains, {"twin": trains, "circuit": trains}, 0.0, 1.0),
        "bars": figures.effect_bars(["28 °C", "34 °C"], curves),
    }


@pytest.fixture
def report(drawings: dict[str, Figure]) -> Report:
    return Report(
        name="sample",
        title="A sample",
        summary="The twin passes one claim and fails another.",
        versions={"neurotwin": "0.1.0", "numpy": "2.3.5"},
        command="/usr/bin/twin judge --real /data/real.zarr --out /tmp/there",
        seed=7,
        claims=[
            _claim(),
            _claim(
                level="L2",
                name="indistinguishable",
                verdict="fail",
                figure=0.61,
                low=None,
                high=0.66,
                reason="told apart",
            ),
            _claim(level="L3", name="new_animal", verdict="not_testable", figure=None, reason="one animal only"),
        ],
        scores=[
            _score(),
            _score(model="circuit", value=0.5, low=None, high=None, n=20, unit="session"),
            _score(model="ceiling", value=0.95),
            _score(metric="rmse_mv", value=3.14159, low=3.0, high=3.3),
            _score(model="circuit", metric="rmse_mv", value=4.4),
            _score(split="train", condition=None, metric="c2st_accuracy", value=0.62),
            _score(split="train", condition=None, metric="c2st_accuracy", model="circuit", value=0.45),
            _score(
                split="train", condition=None, metric="own_metric", value=None, low=None, high=None, n=None, unit=None
            ),
        ],
        sections=(
            Section("Rasters", "First paragraph.\n\nSecond paragraph.", figure=drawings["raster"]),
            Section("Bars", items=("an item",), figure=drawings["bars"]),
            Section(
                "Parameters",
                table=Table(("parameter", "raw (mV)", "note"), (("rest", -61.234, "raw"), ("threshold", None, ""))),
            ),
        ),
        inputs={"real.zarr": "sha256:0123abcd"},
    )
