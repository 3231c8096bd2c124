"""The loop: timing, wiring, noise and what does not fit, on halves that are simple enough to know the answer."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from twin import recording
from twin.alone import PassThrough, PoissonEmitter
from twin.coupling import Coupling, Twin, Wire, to_windows
from twin.errors import InputError, UnsupportedError
from twin.ports import Port
from twin.recording import Stream

SOUND = Port("sound", "dB", 1)


@dataclasses.dataclass(frozen=True)
class Echo:
    """Drives with the count that it was shown: what it gives tells when it saw what."""

    window_s: float = 0.001
    stimulus_ports: tuple = (SOUND,)
    drive_ports: tuple = (Port("seen", "1", 1), Port("sound", "dB", 1))
    readout_ports: tuple = (Port("spike_count", "1", 1),)

    def init(self, key: Any):
        return ()

    def advance(self, state, readout, stimulus, key):
        return state, {"seen": readout["spike_count"], "sound": stimulus["sound"]}


def emitter_twin(coupling: Coupling, surrogate=None) -> Twin:
    return Twin(surrogate or Echo(), PoissonEmitter(0.001), coupling)


def pulse(at: int, n: int = 12) -> Stream:
    """Silence that is loud in one window."""
    values = np.full(n, -1.0)
    values[at] = 1.0
    return Stream(values, 1000.0, "dB")


@pytest.mark.parametrize("delay", [1, 3])
def test_a_spike_is_seen_after_the_delay(delay):
    """One spike in window 2 comes back `delay` windows later, again and again: an echo with that period."""
    wires = (Wire("sound", "log_count", gain=50.0), Wire("seen", "log_count", gain=100.0))
    twin = emitter_twin(Coupling(wires, delay_windows=delay))
    times = recording.spike_times(twin.rollout(pulse(2), key=jax.random.key(0)))[0]
    np.testing.assert_allclose(times, 0.001 * np.arange(2, 12, delay))


def test_a_latency_moves_the_response_and_the_resting_value_fills_the_start():
    """A stimulus that passes through four windows late evokes its spike four windows later."""
    through = PassThrough(0.001, SOUND, latency_windows=4, resting=-1.0)
    twin = emitter_twin(Coupling((Wire("sound", "log_count", gain=50.0),)), through)
    np.testing.assert_allclose(recording.spike_times(twin.rollout(pulse(2), key=jax.random.key(0)))[0], [0.006])


def test_the_emitter_has_the_rate_that_it_is_given():
    """An expected count of 0.1 a window gives spikes in 1 - exp(-0.1) of the windows, to four standard errors."""
    twin = emitter_twin(Coupling((Wire("sound", "log_count", gain=0.0, offset=np.log(0.1)),)))
    silence = Stream(np.zeros(5000), 1000.0, "dB")
    trials = recording.spike_times(twin.rollout(silence, key=jax.random.key(1), trials=4))
    share = sum(map(len, trials)) / 20_000
    expected = 1 - np.exp(-0.1)
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / 20_000)


def test_noise_belongs_to_the_key_and_the_trial():
    """Equal keys repeat, trials differ, and trial n does not depend on how many trials there are."""
    twin = emitter_twin(Coupling((Wire("sound", "log_count", gain=0.0, offset=-1.0),)))
    silence = Stream(np.zeros(200), 1000.0, "dB")
    three = recording.spike_times(twin.rollout(silence, key=jax.random.key(2), trials=3))
    one = recording.spike_times(twin.rollout(silence, key=jax.random.key(2), trials=1))
    np.testing.assert_array_equal(three[0], one[0])
    assert three[0].tolist() != three[1].tolist()


def test_new_gains_do_not_recompile():
    """The wires' numbers are arguments of the compiled rollout, not constants in it."""
    twin = emitter_twin(Coupling((Wire("sound", "log_count", gain=1.0),)))
    counted = []

    def spikes(*arguments):
        counted.append(1)
        return twin.spikes(*arguments)

    compiled = jax.jit(spikes)
    windows = jnp.zeros((5, 1), jnp.float32)
    for gain in (1.0, 2.0):
        compiled(windows, {}, {"gain": np.array([gain]), "offset": np.array([0.0])}, jax.random.key(0))
    assert len(counted) == 1


@pytest.mark.parametrize(
    ("coupling", "surrogate", "words"),
    [
        (Coupling((Wire("sound", "log_count", 1.0),)), Echo(window_s=0.002), "window is 0.002 s, the circuit's 0.001"),
        (
            Coupling((Wire("light", "log_count", 1.0),)),
            Echo(),
            "starts at 'light', but the surrogate's drive ports are",
        ),
        (Coupling((Wire("sound", "current", 1.0),)), Echo(), "ends at 'current', but the circuit's input ports are"),
        (Coupling(()), Echo(), "nothing feeds the circuit's input log_count"),
        (Coupling((Wire("sound", "log_count", 1.0),), delay_windows=0), Echo(), "the delay is 0 windows"),
        (
            Coupling((Wire("sound", "log_count", 1.0),)),
            Echo(readout_ports=(Port("spike_count", "1", 2),)),
            "the surrogate reads Port",
        ),
    ],
)
def test_halves_that_do_not_fit_are_refused_when_they_are_joined(coupling, surrogate, words):
    """Windows, wires, delays and readouts are checked before anything runs."""
    with pytest.raises(InputError, match=words):
        emitter_twin(coupling, surrogate)


def test_windows_are_means_of_whole_samples():
    """Two samples a window are averaged; a window of one and a half samples and another unit are refused."""
    ramp = Stream(np.arange(6.0), 1000.0, "dB")
    np.testing.assert_array_equal(to_windows(ramp, 0.002, SOUND)[:, 0], [0.5, 2.5, 4.5])
    with pytest.raises(InputError, match="holds 1.5 samples"):
        to_windows(ramp, 0.0015, SOUND)
    with pytest.raises(InputError, match="'Pa'"):
        to_windows(dataclasses.replace(ramp, unit="Pa"), 0.002, SOUND)


def test_unknown_engines_and_circuits_without_brian2_are_refused():
    """The engine's name is checked, and the surrogate alone has no equations for Brian2."""
    twin = emitter_twin(Coupling((Wire("sound", "log_count", 1.0),)))
    with pytest.raises(InputError, match="'numpy'; wanted 'jax' or 'brian2'"):
        twin.rollout(pulse(2), key=jax.random.key(0), engine="numpy")
    with pytest.raises(UnsupportedError, match="engine='jax'"):
        twin.rollout(pulse(2), key=jax.random.key(0), engine="brian2")
