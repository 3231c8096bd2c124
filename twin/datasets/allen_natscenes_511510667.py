"""One two-photon session under natural images whose image labels were lost upstream: a negative control."""

from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr

from twin import recording
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported
from twin.datasets.originals import Archive, logged, require
from twin.protocol import Protocol
from twin.recording import Stream

SOURCE = "psailamul/Allen_Brain_Observatory"
TRIALS = "Allen_test_output_big.npy"
IMAGES = ("Allen_train_input.npy", "Allen_test_input.npy")


def load(folder: Path) -> Recordings:
    """The single trials as one recording.

    `Allen_train_output.npy` and `Allen_test_output.npy` are left alone: their rows are single trials that were given
    to images by their position, and not responses to these images.
    """
    require(folder / TRIALS, "the single trials (trial, neuron), dF/F in %")
    return {"session_511510667": partial(load_trials, folder)}


def load_trials(folder: Path) -> xr.DataTree:
    """One value a trial and neuron; the images are there as a set, and no trial is said to have shown any of them."""
    trials = Archive(folder / TRIALS)
    responses = trials.array("array", ("trial", "neuron"))
    paths = [folder / name for name in IMAGES if (folder / name).exists()]
    images = [Archive(path).array("array", ("image", "pixel")) for path in paths]
    lost = "the order of the images was lost upstream: no trial has an image, and a prediction above chance is an error"
    stimuli = (
        {"images": Stream(np.concatenate(images), None, "1", leading=(), attributes={"labels": lost})}
        if images
        else None
    )
    tree = recording.from_fluorescence(
        responses[:, None, :],
        name="session_511510667",
        unit="%",
        times_s=np.zeros(1),
        stimuli=stimuli,
        protocol=Protocol(
            reported(
                SOURCE,
                species="mouse",
                lab="Allen Institute for Brain Science",
                recording_method="two-photon imaging, GCaMP6f, 275 um deep",
                preparation="in vivo, V1, Cux2-CreERT2",
                image_labels="lost upstream",
            )
        ),
    )
    skipped = ["Allen_train_output.npy", "Allen_test_output.npy"]
    return logged(tree, [trials.path, *paths], image_labels=lost, not_responses_to_images=skipped)


DATASET = Dataset(
    name="allen_natscenes_511510667",
    title="mouse V1, two-photon, 212 neurons under natural images; LABELS BROKEN UPSTREAM, a negative control",
    source=SOURCE,
    citation="Allen Brain Observatory, container 511510667",
    licence="none seen; Allen Institute Terms of Use (data): local use, do not redistribute",
    size="2.6 MB, 900 trials",
    load=load,
    traps=(
        "the image of a trial is not known: any prediction of responses from images above chance is an error",
        "good for the covariance of the population, and as a negative control",
    ),
)
