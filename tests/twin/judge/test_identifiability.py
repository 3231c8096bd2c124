"""The identifiability gate: islands by hand, an additive model that agrees with it, and known values of Cramer's V."""

import itertools

import numpy as np
import pytest

from twin.errors import InputError, UnsupportedError
from twin.judge.identifiability import cramers_v, crossing, design_rank, one_hot

# Labs 1 and 2 share type b; labs 3 and 4 share nothing with them or with each other.
TYPES = ["a", "b", "b", "c", "d", "e", "e"]
LABS = ["1", "1", "2", "2", "3", "4", "4"]


def crossed():
    return crossing(TYPES, LABS, factor="neuron type", other="lab")


def test_islands_counted_by_hand():
    """Five types fall into the islands {a, b, c}, {e} and {d}, numbered by their rows."""
    found = crossed()
    assert found.n_components == 3
    assert dict(zip(found.levels, found.component.tolist(), strict=True)) == {"a": 0, "b": 0, "c": 0, "d": 2, "e": 1}
    assert dict(zip(found.other_levels, found.other_component.tolist(), strict=True)) == {
        "1": 0,
        "2": 0,
        "3": 2,
        "4": 1,
    }
    assert found.largest_share == pytest.approx(4 / 7)
    assert found.comparable_pairs == (3, 10)
    assert found.seen_with_one == ("a", "c", "d", "e")
    assert found.others_seen_with_one == ("3", "4")
    assert found.smallest_cell == 0


def test_contrasts_across_islands_are_refused_with_a_sentence():
    """a and c share no lab but a chain of labs, and pass; a and d share none, and are refused by name."""
    found = crossed()
    found.require_comparable("a", "c")
    with pytest.raises(UnsupportedError, match=r"'a' and 'd' cannot be contrasted: .* \(islands 1 and 3 of 3\)"):
        found.require_comparable("a", "d")
    with pytest.raises(InputError, match="'z' does not occur"):
        found.comparable("a", "z")


@pytest.mark.parametrize("seed", range(8))
def test_the_gate_says_what_least_squares_says(seed):
    """Two types are comparable exactly when their difference lies in the row space of the type and lab columns."""
    rng = np.random.default_rng(seed)
    types, labs = rng.integers(0, 9, 14).astype(str), rng.integers(0, 9, 14).astype(str)
    found = crossing(types, labs, factor="type", other="lab")
    design = np.hstack([one_hot(types), one_hot(labs)])
    projector = np.linalg.pinv(design) @ design
    for (i, one), (j, two) in itertools.combinations(enumerate(found.levels), 2):
        contrast = np.zeros(design.shape[1])
        contrast[i], contrast[j] = 1.0, -1.0
        estimable = np.allclose(contrast @ projector, contrast, atol=1e-9)
        assert found.comparable(one, two) == estimable
    rank = design_rank({"types": one_hot(types), "labs": one_hot(labs)})
    assert rank.rank == design.shape[1] - found.n_components == np.linalg.matrix_rank(design)


def test_a_planted_confound_is_caught():
    """Crossed at first, three islands once each lab measures its own type: rank is lost and V rises to 1."""
    labs = np.repeat(["1", "2", "3"], 12)
    crossed_types, own_types = np.tile(["a", "b", "c"], 12), np.repeat(["a", "b", "c"], 12)
    assert crossing(crossed_types, labs, factor="type", other="lab").n_components == 1
    assert crossing(own_types, labs, factor="type", other="lab").n_components == 3
    assert crossing(crossed_types, labs, factor="type", other="lab").smallest_cell == 4
    assert cramers_v(crossed_types, labs) == 0.0
    assert cramers_v(own_types, labs) == pytest.approx(1.0)
    assert design_rank({"type": one_hot(own_types), "lab": one_hot(labs)}).lost == {"type": 0, "lab": 3}


def test_cramers_v_of_a_worked_table():
    """[[10, 20], [30, 40]] by hand: chi2 = 100/126, n = 100, so phi2 is below its bias and V is 0; [[30, 10], [10, 50]]
    has chi2 = 34.0278, so V = sqrt((0.340278 - 1/99) / (1 - 1/99)).
    """

    def table(counts):
        pairs = [(str(i), str(j)) for i in range(2) for j in range(2) for _ in range(counts[i][j])]
        return [one for one, _ in pairs], [two for _, two in pairs]

    assert cramers_v(*table([[10, 20], [30, 40]])) == 0.0
    assert cramers_v(*table([[30, 10], [10, 50]])) == pytest.approx(np.sqrt((0.3402777777 - 1 / 99) / (1 - 1 / 99)))
    assert np.isnan(cramers_v(["a", "a"], ["x", "y"]))


def test_cramers_v_is_unbiased_where_there_is_no_association():
    """Independent labels, 10 x 10 levels in 200 rows: the corrected V is near 0 where the plain one is near 0.2."""
    rng = np.random.default_rng(0)
    values = [cramers_v(rng.integers(0, 10, 200).astype(str), rng.integers(0, 10, 200).astype(str)) for _ in range(50)]
    assert np.mean(values) < 0.08


def test_mismatched_rows_are_refused():
    """Labels of different length, blocks of different height, and no rows at all."""
    with pytest.raises(InputError, match="3 and 2 rows"):
        crossing(["a", "b", "c"], ["1", "2"], factor="type", other="lab")
    with pytest.raises(InputError, match="0 and 0 rows"):
        cramers_v([], [])
    with pytest.raises(InputError, match=r"row counts \[2, 3\]"):
        design_rank({"a": np.eye(2), "b": np.eye(3)})
