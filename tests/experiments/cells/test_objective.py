"""The objective is what is scored: eFEL's features, computed while the model runs, in the scored deviations."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from biophys.calibrate import Evolution, Target
from biophys.calibrate.objectives.objective import as_weighted
from biophys.calibrate.problem import Problem
from biophys.models import ALL
from experiments.calibration.steps import CurrentStep
from experiments.cells import fitting, material, tolerance
from experiments.cells.objective import LACKING, StepFeatures
from experiments.cells.tolerance import NAMES

STEP_S, ONSET, END = 2.5e-4, 200, 1200  # of 4 kHz, the coarsest there is
HEIGHTS_NA = (-0.1, 0.02, 0.08, 0.15, 0.25)


def run(fit: fitting.Fit, values: dict[str, float], objective: StepFeatures, target: Target):
    """What the objective has at the end of the model's own responses, and its facts."""
    assert fit.problem is not None
    plan = dataclasses.replace(fit.problem.plan, objective=as_weighted(objective), dtype=np.float64)
    tapes = Problem(plan, target).tapes[False]
    own = {name: jnp.full(1, value) for name, value in values.items()}
    (carry,), finite = plan.simulator(1, False).run(own, tapes, (objective,), None, False)
    assert finite.all()
    return carry, tapes.facts[0]


@pytest.fixture(scope="module")
def fitted() -> tuple[fitting.Fit, material.Cell]:
    """Any fit, of a cell whose voltage says nothing: its responses are what is looked at."""
    current = np.zeros((len(HEIGHTS_NA), END))
    current[:, ONSET:] = np.array(HEIGHTS_NA)[:, None]
    steps = tuple(CurrentStep(ONSET * STEP_S, END * STEP_S, height, 0.0) for height in HEIGHTS_NA)
    voltage = np.full(current.shape, -70.0)
    trains = tuple((np.arange(0.06, 0.29, 0.02),) for _ in HEIGHTS_NA)
    names = tuple(map(str, range(len(HEIGHTS_NA))))
    target = Target("cell", STEP_S, current, voltage, trains, names, (0.0, END * STEP_S))
    cell = material.Cell("cell", target, steps, np.arange(len(HEIGHTS_NA)), (), {})
    with jax.enable_x64(True), pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "METHOD", Evolution(restarts=1, population=16))
        rows = list(range(len(HEIGHTS_NA)))
        return fitting.fit_rows(cell, rows, ALL["lif_conductance"], 16, jax.random.key(0), lambda *_: None), cell


def test_the_features_are_those_of_efel(fitted: tuple[fitting.Fit, material.Cell]) -> None:
    """For responses from none to many spikes each feature equals eFEL's, and is missing where eFEL has none."""
    fit, cell = fitted
    rows, seen = list(range(len(HEIGHTS_NA))), set()
    with jax.enable_x64(True):
        target, steps = cell.part(rows)
        nothing: dict[str, float | None] = {name: None for name in NAMES}
        objective = StepFeatures(steps, (nothing,) * len(rows), ({name: 1.0 for name in NAMES},) * len(rows))
        for change in ({}, {"b_slow": 2.0}, {"E_K": -90.0, "b_fast": 30.0}):
            values = {one.name: one.value for one in fit.model.parameters} | change
            carry, facts = run(fit, values, objective, target)
            found = objective.features(carry, facts)
            sets = np.array([[values[name] for name in fit.space.names]])
            expected = fitting._features(dataclasses.replace(fit, sets=sets), cell, rows)
            for row in rows:
                for name in NAMES:
                    other, own = expected[row][name], float(found[name][row, 0])
                    assert np.isnan(own) == (other is None), (row, name)
                    if other is not None:
                        seen.add(name)
                        sd = max(tolerance._published(name, other), 1e-3)
                        assert abs(own - other) < 0.15 * sd, (row, name)
    assert seen == set(NAMES)


def test_the_loss_is_the_log_of_a_cauchy_density(fitted: tuple[fitting.Fit, material.Cell]) -> None:
    """Two deviations cost ln 2, a feature that the model lacks ln 37; the sum is the surprise, the mean the loss."""
    fit, cell = fitted
    rows = list(range(len(HEIGHTS_NA)))
    with jax.enable_x64(True):
        target, steps = cell.part(rows)
        nothing: dict[str, float | None] = {name: None for name in NAMES}
        ones = ({name: 1.0 for name in NAMES},) * len(rows)
        values = {one.name: one.value for one in ALL["lif_conductance"].parameters}
        first = StepFeatures(steps, (nothing,) * len(rows), ones)
        carry, facts = run(fit, values, first, target)
        base = float(first.features(carry, facts)["voltage_base"][0, 0])
        # the silent first sweep: its base is two deviations off, and it has no afterpotential
        cell_values = ({**nothing, "voltage_base": base + 2.0, "min_AHP_values": -60.0}, *(nothing,) * 4)
        second = StepFeatures(steps, cell_values, ones)
        carry, facts = run(fit, values, second, target)
        plain = float(first.surprise(carry, first_facts(facts))[0])
        surprise = float(second.surprise(carry, facts)[0])
        assert surprise - plain == pytest.approx(np.log(2.0) + np.log(1 + (LACKING / 2) ** 2))
        assert float(second.loss(carry, facts)[0]) == pytest.approx(surprise / (2 + len(rows)))


def first_facts(facts):
    """The same with nothing known of the cell: what is left is the way to the first spike."""
    return {**facts, "cell": jnp.full_like(facts["cell"], jnp.nan)}
