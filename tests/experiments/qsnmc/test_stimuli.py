"""Stimuli and their repeats: what is testable, what is fitted, and what is refused."""

import numpy as np
import pytest

from experiments.cli import main
from experiments.qsnmc import stimuli
from experiments.qsnmc.electrode import series_resistance_mohm, without_drop
from experiments.qsnmc.settings import QUICK
from twin.errors import InputError


@pytest.fixture(scope="module")
def made_up(tmp_path_factory, written):
    """Three stimuli, of which one is constant."""
    return stimuli.load(written(tmp_path_factory.mktemp("stimuli") / "data"))


def test_a_constant_current_has_no_repeatable_times(made_up):
    """Under noise the repeats agree, under a constant current escape noise alone places the spikes."""
    assert made_up.names == ("a", "b", "c")
    assert [made_up.is_testable(name) for name in made_up.names] == [True, True, False]
    assert made_up.reliability("c") < 0.25 < 0.5 < made_up.reliability("b")


def test_what_is_fitted_has_nothing_of_the_one_left_out(made_up):
    """Targets of the others hold neither its current nor its trains; each has the repeats that were asked for."""
    target = made_up.to_fit(("a", "c"), QUICK)
    assert target.sweeps == ("a", "c") and len(target.spike_times_s[0]) == 3
    left_out = made_up.current_na("b", 0.001)
    assert not any(np.array_equal(row, left_out) for row in target.current_na)
    assert made_up.to_force(("a", "c"), QUICK).sweeps == ("a-0", "a-1", "c-0", "c-1")


def test_the_resistance_that_was_put_in_is_found(made_up):
    """15 MOhm from jumps of the current at 1 kHz, with a share of the membrane's first millisecond; taken out, none."""
    target = made_up.to_force(("a", "b"), QUICK)
    found = series_resistance_mohm(target)
    assert found == pytest.approx(15.0, abs=1.0)
    assert series_resistance_mohm(without_drop(target, found)) == pytest.approx(0.0, abs=0.1)


def test_wrong_folders_are_one_sentence(tmp_path, written, made_up, capsys):
    """A shared stimulus, a stimulus without repeats, a single stimulus, no challenge A."""
    other = stimuli.load(written(tmp_path / "other", {"b": (0.2, 0.1), "z": (0.2, 0.1)}))
    with pytest.raises(InputError, match="stimulus b is in --data as well"):
        stimuli.refuse_shared(made_up, other)
    with pytest.raises(InputError, match="no repeats; reliability needs two"):
        stimuli.load(written(tmp_path / "single", n_repeats=1))
    one = written(tmp_path / "one", {"a": (0.2, 0.1)})
    with pytest.raises(SystemExit) as stopped:
        main(["experiment", "qsnmc", "--data", str(one), "--out", str(tmp_path / "out")])
    assert stopped.value.code == 2 and "leaving one out needs two" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
