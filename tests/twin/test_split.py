"""The split: its arithmetic, and that every look at a held-out response is written down."""

import numpy as np
import pytest

from twin import recording, split
from twin.errors import InputError


def ten_seconds():
    return recording.from_spikes([[np.array([1.0, 9.0])]], start_s=0.0, stop_s=10.0, name="ten")


def test_the_last_seconds_are_for_validation():
    """10 s with 2 s of validation is [0, 8) to fit and [8, 10) to choose on."""
    parts = split.last_seconds(ten_seconds(), 2.0)
    assert parts.train == (0.0, 8.0) and parts.validation == (8.0, 10.0)


@pytest.mark.parametrize("validation_s", [0.0, 10.0, 12.0])
def test_a_split_that_leaves_nothing_is_refused(validation_s):
    """Both parts have to have a length."""
    with pytest.raises(InputError, match="cannot be set apart"):
        split.last_seconds(ten_seconds(), validation_s)


def test_looks_at_a_held_out_response_are_counted(tmp_path):
    """The response is read with a reason, and the reasons are kept."""
    held_out = split.HeldOut(recording.write(ten_seconds(), tmp_path / "r.zarr"))
    assert held_out.span == (0.0, 10.0) and held_out.accesses == []
    np.testing.assert_array_equal(held_out.response("judge")[0], [1.0, 9.0])
    assert held_out.accesses == ["judge"]


def test_whole_trials_are_drawn_into_parts():
    """Of 10 trials with 0.1 and 0.2, one and two are set apart, each trial lands in one part, and the seed decides."""
    parts = split.by_trial([7] * 10, 0.1, 0.2, seed=0)
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [7, 1, 2]
    assert sorted(one.trial for part in (parts.train, parts.validation, parts.test) for one in part) == list(range(10))
    assert parts == split.by_trial([7] * 10, 0.1, 0.2, seed=0) != split.by_trial([7] * 10, 0.1, 0.2, seed=1)
    with pytest.raises(InputError, match="2 trials cannot give 1 for validation and 1 for testing"):
        split.by_trial([7, 7], 0.1, 0.1, seed=0)


def test_the_end_of_each_trial_is_set_apart():
    """Of 100 windows with 0.1 and 0.2, [0, 70), [70, 80) and [80, 100)."""
    parts = split.by_time([100], 0.1, 0.2)
    assert parts.to_json() == {"train": [[0, 0, 70]], "validation": [[0, 70, 80]], "test": [[0, 80, 100]]}
    with pytest.raises(InputError, match="leave none for validation"):
        split.by_time([2], 0.1, 0.0)
