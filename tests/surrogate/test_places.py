"""Where units look on a video, read off a recording whose answer is known."""

import numpy as np
import pytest

from surrogate.batches import session_of
from surrogate.places import laplacian, places_of
from surrogate.train import placed
from twin import recording
from twin.recording import Stream
from twin.split import Parts


def seen(shape, n_times, seed=0, smooth=False):
    """Ten units that each look at one pixel, two windows late, and where that is (x and y, -1 to 1)."""
    random = np.random.default_rng(seed)
    movie = random.normal(size=(2, n_times, *shape)).astype(np.float32)
    if smooth:  # neighbours become alike, as in images of nature
        for axis in (2, 3):
            movie = np.cumsum(movie, axis=axis) / 3.0
    at = np.stack([random.integers(1, size - 1, 10) for size in shape])
    drive = np.roll(laplacian_of(movie)[:, :, at[0], at[1]], 2, axis=1)
    counts = random.poisson(np.exp(drive / drive.std() - 0.5))
    stream = Stream(movie, 20.0, "1", leading=("trial", "time"))
    tree = recording.from_counts(counts, 0.05, name="looks", stimuli={"movie": stream})
    return tree, np.stack([2.0 * at[1] / (shape[1] - 1) - 1.0, 2.0 * at[0] / (shape[0] - 1) - 1.0], axis=1)


def laplacian_of(movie):
    """Trial by trial."""
    return np.stack([laplacian(one) for one in movie])


@pytest.mark.parametrize("smooth", [False, True])
def test_places_are_found_within_a_pixel(changed, smooth):
    """Ten units on a movie of 12 by 16 pixels, white or smooth, are found where they look, but for a pixel."""
    config = changed(data={"streams": (), "behaviour": (), "covariates": (), "video": "movie"})
    tree, truth = seen((12, 16), 1200, smooth=smooth)
    session = session_of(tree, config.data)
    found = places_of(session, session.spans(), "movie")
    pixels = np.abs(found - truth) * np.array([15, 11]) / 2.0
    assert (pixels < 1.0).mean() > 0.9


def test_without_a_peak_units_stay_near_the_middle(changed):
    """From a second of data the mean distance from the middle is less than that of the true places."""
    config = changed(data={"streams": (), "behaviour": (), "covariates": (), "video": "movie"})
    tree, truth = seen((12, 16), 20)
    session = session_of(tree, config.data)
    assert np.abs(places_of(session, session.spans(), "movie")).mean() < np.abs(truth).mean()
    assert not places_of(session, session.spans(), "other").any()
    plain = changed()
    assert placed([session], [Parts(session.spans())], plain) == {}
