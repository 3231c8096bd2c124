"""Brian2's own test suite on the device "jax": all of it in `make test-all`, a part of it in `make test`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# what Brian2's run-time may execute on the device: connecting and setting variables, before and between runs
SET_UP = {
    *("group_variable_get", "group_variable_get_conditional"),
    *("group_variable_set", "group_variable_set_conditional"),
    *("group_get_indices", "synapses_create_array", "synapses_create_generator"),
}
PART = " or ".join(
    (
        *("test_state_monitor", "test_spike_monitor_variables", "test_rate_monitor", "test_event_monitor"),
        *("test_store_restore", "test_transmission_scalar", "test_summed_variable", "test_custom_events"),
        *("test_refractoriness_variables", "test_linked_subexpression_synapse", "test_synaptic_propagation"),
        *("test_spikegenerator_period", "test_poissoninput", "test_multiple_clocks", "test_subgroup"),
        *("test_2d_timedarray", "test_event_driven", "test_user_defined_function", "test_run_regularly_dt"),
        *("test_basic_diffusion", "test_numerical_equivalence"),
    )
)


def run_suite(folder: Path, *arguments: str) -> Any:
    """Runs Brian2's suite in a process of its own, and gives what it wrote."""
    result = folder / "suite.json"
    path = os.pathsep.join([str(ROOT), str(HERE)])
    command = [sys.executable, str(HERE / "brian2_suite.py"), str(result), *arguments]
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert result.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(result.read_text())


def explained() -> set[str]:
    """The tests that docs/brian2-conformance.md says do not pass, each with its reason."""
    page = (ROOT / "docs" / "brian2-conformance.md").read_text()
    return set(re.findall(r"^\| `(test_\w+\.py::[^`]+)` \| .+ \|$", page, re.M))


def not_passed(said: Any) -> set[str]:
    """The tests that failed or were refused."""
    return {name for name, (outcome, _) in said["outcomes"].items() if outcome != "passed"}


def test_a_part_of_brian2s_suite(tmp_path: Path) -> None:
    """A part of Brian2's suite that has every kind of object passes, and Brian2 executes nothing but set-up."""
    said = run_suite(tmp_path, "-k", PART)
    assert len(said["outcomes"]) > 25
    assert not_passed(said) <= explained()
    assert said["executed"].keys() <= SET_UP


@pytest.mark.slow
def test_the_whole_of_brian2s_suite(tmp_path: Path) -> None:
    """Whatever of Brian2's suite for standalone devices does not pass is explained, and nothing else is."""
    said = run_suite(tmp_path, "--long")
    assert len(said["outcomes"]) >= 215
    assert not_passed(said) == explained()
    assert said["executed"].keys() <= SET_UP


def test_the_audit_sees_code_that_brian2_runs(tmp_path: Path) -> None:
    """The count of executed templates is no empty promise: a run without the device shows the update of states."""
    script = tmp_path / "plain.py"
    script.write_text(
        "import brian2, brian2_suite\n"
        "brian2.prefs.codegen.target = 'numpy'\n"
        "brian2_suite.pytest_configure()\n"
        "group = brian2.NeuronGroup(2, 'dv/dt = -v/(5*ms) : 1', method='exact')\n"
        "brian2.run(1*brian2.ms)\n"
        "print(dict(brian2_suite.EXECUTED))\n"
    )
    path = os.pathsep.join([str(ROOT), str(HERE)])
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"'stateupdate': (\d+)", done.stdout)
    assert found is not None and int(found[1]) >= 10
