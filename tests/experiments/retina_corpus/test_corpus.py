"""What is read from a folder, what is used of it, and what is said of the rest."""

import json

import numpy as np
import pytest

from experiments.retina_corpus import corpus
from experiments.retina_corpus.corpus import Left, Recorded
from experiments.retina_corpus.experiment import _without_twins
from experiments.retina_corpus.pretraining import folds, material
from experiments.retina_corpus.rounds import rounds_of
from experiments.retina_corpus.settings import QUICK
from twin.errors import InputError


def test_recordings_are_binned_from_the_first_spike(corpus_folder):
    """Counts, places, protocol and the fitted part of each recording are those that were written."""
    found, left = corpus.read(corpus_folder, QUICK)
    assert len(found) == 8 and not left
    one = found[0]
    assert one.name == "Ash2001_0" and one.study == "Ash2001"
    assert one.counts.shape[1] == 10 and one.fitted == int(0.8 * len(one.counts))
    np.testing.assert_allclose(one.places_um[0], 100.0 * np.arange(10))
    assert one.covariate("age") == 4 and one.covariate("temperature") is None
    assert len(one.counts) * 0.05 == pytest.approx(60, abs=10)


def test_the_same_recording_counts_once(save, waves):
    """A recording in two studies, and in --data and --test, is found by its intervals, whatever it is called."""
    twin = [train + 7 for train in waves(1)]
    folder = save("data", "Ash2001", {"A_0": waves(0), "A_1": waves(1)})
    save("data", "Birch2002", {"B_0": twin, "B_1": waves(2)})
    found, left = corpus.read(folder, QUICK)
    assert [one.name for one in found] == ["A_0", "A_1", "B_1"]
    assert [one.name for one in left] == ["B_0"] and "A_1" in left[0].reason
    test, _ = corpus.read(save("test", "Cedar2003", {"C_0": waves(0), "C_1": waves(9)}), QUICK)
    kept, dropped = _without_twins(test, found)
    assert [one.name for one in kept] == ["C_1"] and "cannot test" in dropped[0].reason
    with pytest.raises(InputError, match="all of its recordings are in --data too"):
        _without_twins([test[0]], found)


def test_too_few_units_are_not_testable(save, waves):
    """A recording of too few active units, or too short, is left out with the reason."""
    silent = [train[:3] for train in waves(1)]
    folder = save("data", "Ash2001", {"A_0": waves(0), "A_1": [*waves(2)[:2], *silent]})
    whole, poor = corpus.read(folder, QUICK)[0]
    assert isinstance(corpus.usable(whole, QUICK, scored=True), Recorded)
    left = corpus.usable(poor, QUICK, scored=True)
    assert isinstance(left, Left) and "has 2 usable units, and 4 are wanted" in left.reason
    short = corpus.usable(whole.until(200), QUICK, scored=True)
    assert isinstance(short, Left) and "lasts 10 s" in short.reason


def test_times_out_of_order_are_sorted(save, waves):
    """Spikes that were written in another order give the same counts."""
    trains = waves(0)
    mixed = [np.concatenate([train[10:], train[:10]]) for train in trains]
    one, two = (
        corpus.read(save(name, "Ash2001", {"A": times}), QUICK)[0][0] for name, times in (("a", trains), ("b", mixed))
    )
    np.testing.assert_array_equal(one.counts, two.counts)


@pytest.mark.parametrize("fault", ["empty", "missing", "nan", "meta"])
def test_faults_are_one_sentence(fault, tmp_path, save, waves):
    """No spike, a key that lacks, a time that is no number and a protocol that is no JSON name the recording."""
    folder = save("data", "Ash2001", {"A": waves(0)})
    keys = dict(np.load(folder / "Ash2001.npz"))
    if fault == "empty":
        keys["A|dt"], keys["A|n"] = np.zeros(0, np.int32), np.zeros(10, np.int32)
    elif fault == "missing":
        del keys["A|xy"]
    elif fault == "nan":
        keys["A|dt"] = np.where(np.arange(len(keys["A|dt"])) == 3, np.nan, keys["A|dt"])
    else:
        keys["A|meta"] = np.array(json.dumps([1]))
    np.savez(folder / "Ash2001.npz", **keys)
    with pytest.raises(InputError, match=r"Ash2001.npz: .*A"):
        corpus.read(folder, QUICK)


def test_studies_that_are_left_out_do_not_pretrain(corpus_folder):
    """No scored recording's study pretrains its round, and studies of one first author are left out together."""
    found, _ = corpus.read(corpus_folder, QUICK)
    every = rounds_of(found, None, QUICK)
    assert [one.left_out for one in every] == [("Ash2001", "Birch2002"), ("Cedar2003", "Doe2004")]
    for one in every:
        assert {each.study for each in one.scored} == set(one.left_out)
        assert not {each.study for each in one.material} & set(one.left_out)
    assert folds(["B2001", "A2003", "A2006", "C2001"], 1) == (("A2003", "A2006"), ("B2001",), ("C2001",))
    assert len(material(found, (), QUICK)) == 8
