"""Training recovers a known point process, is reproducible, and its stepper is the model that was trained."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from surrogate.single import SurrogateConfig, fit
from surrogate.single.objectives import bits_per_spike
from surrogate.single.responses import responses
from twin import recording, split
from twin.errors import InputError
from twin.ports import Port
from twin.recording import Stream

SOUND = Port("sound", "dB", 1)
CONFIG = SurrogateConfig(
    window_s=0.001, stimulus_memory_s=0.02, n_filters=6, n_hidden=4, fast_tau_s=(0.003, 0.01), slow_tau_s=(1.0,),
    n_steps=400, check_every=50,
)  # fmt: skip


@pytest.fixture(scope="module")
def known():
    """Ten seconds of a cell whose log rate is 0.8 times the level three windows ago, silent for 5 ms after a spike."""
    random = np.random.default_rng(0)
    level = gaussian_filter1d(random.normal(size=10_000), 4.0)
    level /= level.std()
    log_count = np.log(0.05) + 0.8 * np.concatenate([np.zeros(3), level[:-3]])
    spikes, last = [], -10
    for window in range(10_000):
        if window - last > 5 and random.random() < 1 - np.exp(-np.exp(log_count[window])):
            spikes.append(window * 0.001 + 0.0005)
            last = window
    sound = Stream(level, 1000.0, "dB")
    tree = recording.from_spikes([[np.array(spikes)]], start_s=0.0, stop_s=10.0, name="known", stimuli={"sound": sound})
    return tree, log_count


@pytest.fixture(scope="module")
def trained(known):
    return fit(known[0], SOUND, split.last_seconds(known[0], 2.0), CONFIG, seed=0)


def test_the_stimulus_part_is_recovered(known, trained):
    """The learned stimulus drive follows the true log rate, and the history part knows the refractory period."""
    data = responses(known[0], SOUND, CONFIG)
    model = trained.surrogate.model
    stimulus = np.asarray(model.encoder(jnp.asarray(data.past)))
    assert np.corrcoef(stimulus, known[1])[0, 1] > 0.95
    after_spike = model.fast(model.fast.advance(model.fast.start(), jnp.float32(1.0)))
    assert float(after_spike) < -1.0


def test_validation_improves_and_the_best_is_kept(trained):
    """Training gains bits per spike on data that were not fitted, and `best` is where the gain was largest."""
    assert trained.validation_bits[trained.best] == trained.validation_bits.max() > 0.2


def test_the_same_seed_gives_the_same_weights(known, trained):
    """A second training repeats the first to the last digit."""
    again = fit(known[0], SOUND, split.last_seconds(known[0], 2.0), CONFIG, seed=0)
    np.testing.assert_array_equal(again.train_bits, trained.train_bits)


def test_the_stepper_is_the_trained_model(known, trained):
    """Stepped window by window through the recorded spikes, it gives the log counts of the batched model."""
    data = responses(known[0], SOUND, CONFIG).between(0, 400)
    surrogate, model = trained.surrogate, trained.surrogate.model
    counts = jnp.asarray(data.counts)
    batched = model(jnp.asarray(data.past), model.fast.traces(counts), model.slow.traces(counts)).total()

    def step(carry, inputs):
        state, before = carry
        level, count = inputs
        state, drive = surrogate.advance(state, {"spike_count": before[None]}, {"sound": level[None]}, None)
        return (state, count), sum(drive.values())[0]

    start = (surrogate.init(None), jnp.float32(0.0))
    _, stepped = jax.lax.scan(step, start, (jnp.asarray(data.past[:, -1]), counts))
    np.testing.assert_allclose(stepped, batched, atol=2e-5)
    # A planted defect: one window of delay too many is seen.
    late = jnp.concatenate([batched[:1], batched[:-1]])
    assert float(bits_per_spike(stepped, counts)) > float(bits_per_spike(late, counts)) + 0.05


def test_more_than_one_trial_is_refused():
    """This surrogate is of one unit and one trial, and says so."""
    two = recording.from_spikes([[np.array([0.1])], [np.array([0.2])]], start_s=0.0, stop_s=1.0, name="two")
    with pytest.raises(InputError, match="one trial of one unit"):
        responses(two, SOUND, CONFIG)
