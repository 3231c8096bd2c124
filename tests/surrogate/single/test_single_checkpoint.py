"""Checkpoints: what is loaded is what was saved, and what is no checkpoint is named."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from surrogate.single import PointProcessSurrogate, SurrogateConfig, checkpoint
from surrogate.single.model import StimulusHistoryModel
from twin.errors import InputError
from twin.ports import Port

CONFIG = SurrogateConfig(stimulus_memory_s=0.01, n_filters=5, n_hidden=4)


@pytest.fixture
def surrogate():
    model = StimulusHistoryModel(CONFIG, -17.0, 6.0, 0.05, 3, nnx.Rngs(7))
    model.encoder.direct[...] = jnp.float32(1.5)
    return PointProcessSurrogate(model, CONFIG, Port("sound", "dB", 1), resting=-12.0)


def driven(one: PointProcessSurrogate) -> list[np.ndarray]:
    """Five windows of drive."""
    state, drives = one.init(None), []
    for window in range(5):
        readout = {"spike_count": jnp.full((1,), window % 2, jnp.float32)}
        sound = {"sound": jnp.full((1,), -20.0 + 3 * window, jnp.float32)}
        state, drive = one.advance(state, readout, sound, None)
        drives.append(np.concatenate([np.asarray(drive[name]) for name in sorted(drive)]))
    return drives


def test_a_loaded_surrogate_drives_like_the_saved_one(surrogate, tmp_path):
    """Weights, normalisation, latency and resting value come back: five windows of drive are equal to the bit."""
    path = checkpoint.save(surrogate, tmp_path / "model", trained_on={"recording_1": "00ff"})
    again = PointProcessSurrogate.from_checkpoint(path)
    np.testing.assert_array_equal(driven(again), driven(surrogate))
    assert again.config == CONFIG and again.stimulus_ports == surrogate.stimulus_ports
    told = checkpoint.describe(path)
    assert told["trained_on"] == {"recording_1": "00ff"} and told["envelope"]["mean"] == -17.0


def test_a_checkpoint_is_never_replaced(surrogate, tmp_path):
    """An existing folder is left alone."""
    checkpoint.save(surrogate, tmp_path / "model")
    with pytest.raises(InputError, match="exists already"):
        checkpoint.save(surrogate, tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_what_is_no_checkpoint_is_named(surrogate, tmp_path):
    """A missing folder and a future format are refused with the reason."""
    with pytest.raises(InputError, match="is no checkpoint"):
        PointProcessSurrogate.from_checkpoint(tmp_path / "none")
    path = checkpoint.save(surrogate, tmp_path / "model")
    document = json.loads((path / "checkpoint.json").read_text()) | {"format": 99}
    (path / "checkpoint.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="format 99; this version reads 1"):
        PointProcessSurrogate.from_checkpoint(path)
