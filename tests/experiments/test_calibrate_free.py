"""The words of --bounds and --fix: what they free, what they hold, and what is refused."""

import pytest

from biophys.models import ALL
from experiments import hosts
from experiments.calibration.free import free_of
from twin.errors import InputError

ADEX = ALL["adex"]


def test_bounds_replace_the_models_and_fixed_ones_are_not_free():
    """A start outside the bounds given moves to their middle; what is not named stays as it is in the model."""
    free, fixed = free_of(ADEX, ["g_L=5:30", "E_L=-60:-50"], ["b=0"])
    assert fixed == {"b": 0.0} and "b" not in free
    assert (free["g_L"].low, free["g_L"].high) == (5.0, 30.0) and free["E_L"].start == -55.0
    assert (free["C"].low, free["C"].high) == ADEX.parameter("C").bounds


@pytest.mark.parametrize(
    ("bounds", "fixed", "said"),
    [
        (["C=1"], [], "wanted C=LOW:HIGH"),
        (["C=50:10"], [], "C starts at 30 within"),
        (["C"], [], "--bounds C: wanted NAME="),
        ([], ["Q=1"], "no parameter 'Q'"),
        (["C=1:3"], ["C=1"], "C is both in --fix and in --bounds"),
        ([], ["C=x"], "'x' is no number"),
        ([], [f"{one.name}=1" for one in ADEX.fitted], "all parameters are fixed"),
    ],
)
def test_what_is_refused(bounds, fixed, said):
    """Each with a sentence that says what was wanted."""
    with pytest.raises(InputError, match=said):
        free_of(ADEX, bounds, fixed)


def test_half_a_description_of_several_hosts_is_refused(monkeypatch):
    """An address without a number of processes, and a number that is none."""
    monkeypatch.setenv(hosts.ADDRESS, "127.0.0.1:1")
    with pytest.raises(InputError, match="JAX_NUM_PROCESSES, JAX_PROCESS_ID is not"):
        hosts.join()
    monkeypatch.setenv(hosts.COUNT, "two")
    monkeypatch.setenv(hosts.NUMBER, "0")
    with pytest.raises(InputError, match="JAX_NUM_PROCESSES is 'two'"):
        hosts.join()
