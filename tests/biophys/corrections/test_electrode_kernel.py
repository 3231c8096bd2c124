"""Active electrode compensation: a simulated electrode as the truth, a real recording as the judge, planted defects."""

from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import signal

from biophys.corrections import ElectrodeKernel, compensate, early_variance, estimate_electrode_kernel
from twin.errors import InputError

DT_MS = 0.1
ELECTRODE_MOHM, ELECTRODE_TAU_MS = 20.0, 0.25
MEMBRANE_MOHM, MEMBRANE_TAU_MS = 150.0, 20.0


def noise_current(n_samples: int, seed: int) -> np.ndarray:
    """Ornstein-Uhlenbeck noise with 3 ms and 0.04 nA, nA."""
    kept = np.exp(-DT_MS / 3.0)
    white = np.random.default_rng(seed).standard_normal(n_samples)
    return signal.lfilter([0.04 * np.sqrt(1 - kept**2)], [1.0, -kept], white)


class Simulated(NamedTuple):
    """A simulated recording and what is behind it."""

    v_mv: np.ndarray
    i_na: np.ndarray
    membrane_mv: np.ndarray  # the membrane's voltage
    prompt_mv: np.ndarray  # what it had been without the electrode's delay
    kernel_mohm: np.ndarray


def recording(bridge_mohm: float = 0.0, n_samples: int = 100_000, seed: int = 3) -> Simulated:
    """A membrane behind an electrode, with slow noise of the membrane, and white noise of the instrument."""
    i_na = noise_current(n_samples, seed)
    falling = np.exp(-DT_MS * np.arange(50) / ELECTRODE_TAU_MS)
    arriving = falling / falling.sum()
    kept = np.exp(-DT_MS / MEMBRANE_TAU_MS)
    membrane, prompt = (
        -65.0 + signal.lfilter([0.0, MEMBRANE_MOHM * (1 - kept)], [1.0, -kept], current)
        for current in (signal.lfilter(arriving, [1.0], i_na), i_na)
    )
    kernel = ELECTRODE_MOHM * arriving
    kernel[0] -= bridge_mohm
    noise = np.random.default_rng(seed + 1).standard_normal((2, n_samples))
    slow_mv = signal.lfilter([0.15 * np.sqrt(1 - kept**2)], [1.0, -kept], noise[0])
    recorded = membrane + slow_mv + signal.lfilter(kernel, [1.0], i_na) + 0.02 * noise[1]
    return Simulated(recorded, i_na, membrane + slow_mv, prompt + slow_mv, kernel)


@pytest.fixture(scope="module")
def cell(recordings: Path) -> dict[str, np.ndarray]:
    """A real cell: an electrode test of 10 s, `aec`, and repeats of a noise that makes it spike."""
    stored = np.load(recordings / "gif_pozzorini" / "cell3_frozen_noise.npz")
    scale = {"V_volt": 1e3, "I_amp": 1e9, "aec_V_volt": 1e3, "aec_I_amp": 1e9}
    return {name: factor * stored[name].astype(np.float64) for name, factor in scale.items()}


@pytest.fixture(scope="module")
def electrode(cell: dict[str, np.ndarray]) -> ElectrodeKernel:
    return estimate_electrode_kernel(cell["aec_V_volt"], cell["aec_I_amp"], DT_MS, bridge_balanced=True)


def test_a_simulated_electrode_and_membrane_are_recovered() -> None:
    """Every number lies within four of its standard deviations of the truth, and these are a few per cent at most."""
    simulated = recording()
    found = estimate_electrode_kernel(simulated.v_mv, simulated.i_na, DT_MS, bridge_balanced=False)
    for value, sd, true in [
        (found.resistance_mohm, found.resistance_sd_mohm, ELECTRODE_MOHM),
        (found.tau_ms, found.tau_sd_ms, ELECTRODE_TAU_MS),
        (found.membrane_resistance_mohm, found.membrane_resistance_sd_mohm, MEMBRANE_MOHM),
        (found.membrane_tau_ms, found.membrane_tau_sd_ms, MEMBRANE_TAU_MS),
    ]:
        assert abs(value - true) < 4 * sd
        assert sd < 0.05 * true
    assert np.all(np.abs(found.kernel_mohm - simulated.kernel_mohm) < 5 * found.kernel_sd_mohm)
    parts = found.kernel_mohm + found.membrane_mohm[: len(found.kernel_mohm)]
    np.testing.assert_allclose(parts, found.whole.kernel_mohm[: len(parts)], atol=1e-4)


def test_the_standard_deviations_are_honest() -> None:
    """Over ten simulated recordings the resistances spread as the jackknife says, within a factor of two."""
    found = []
    for seed in range(10):
        simulated = recording(n_samples=30_000, seed=10 * seed)
        found.append(
            estimate_electrode_kernel(simulated.v_mv, simulated.i_na, DT_MS, bridge_balanced=False, kernel_ms=60)
        )
    for name in ("resistance", "membrane_resistance"):
        spread = np.std([getattr(one, f"{name}_mohm") for one in found])
        stated = np.mean([getattr(one, f"{name}_sd_mohm") for one in found])
        assert 0.5 < spread / stated < 2.0


def test_compensation_gives_back_the_membranes_voltage() -> None:
    """Of another stimulus through the same electrode, to little more than the instrument's noise of 0.02 mV.

    With a bridge balanced it is the voltage of a membrane that the current reaches without the electrode's delay.
    """
    for bridge_mohm in (0.0, 12.0):
        estimated, other = recording(bridge_mohm), recording(bridge_mohm, seed=70)
        found = estimate_electrode_kernel(estimated.v_mv, estimated.i_na, DT_MS, bridge_balanced=bridge_mohm > 0)
        truth = other.prompt_mv if bridge_mohm else other.membrane_mv
        assert np.std(other.v_mv - truth) > 0.15
        assert np.std(compensate(other.v_mv, other.i_na, found.kernel_mohm) - truth) < 0.04


def test_a_kernel_with_the_membrane_left_in_is_caught() -> None:
    """The planted defect: without the membrane's part removed, compensation takes off what is the cell's."""
    v_mv, i_na, membrane_mv, *_ = recording()
    found = estimate_electrode_kernel(v_mv, i_na, DT_MS, bridge_balanced=False)
    early = found.whole.kernel_mohm[: len(found.kernel_mohm)]
    assert early.sum() > 1.5 * found.resistance_mohm
    wrong, right = (np.std(compensate(v_mv, i_na, one) - membrane_mv) for one in (early, found.kernel_mohm))
    assert wrong > 10 * right


def test_a_membrane_alone_has_no_electrode_artefact() -> None:
    """The measure is 0 for a cell without electrode, large with one, and 0 again for the true kernel."""
    v_mv, i_na, _, prompt_mv, truth = recording(bridge_mohm=12.0)
    alone, with_electrode, restored = (
        early_variance(one, i_na, DT_MS).electrode for one in (prompt_mv, v_mv, compensate(v_mv, i_na, truth))
    )
    assert alone < 1e-5
    assert with_electrode > 0.02
    assert restored < 1e-3, "what is left is the delay with which the current reached the membrane"
    plain = early_variance(prompt_mv, i_na, DT_MS).increments
    assert plain > 0.01, "why the plain share is no measure of the electrode: a membrane has some too"


def test_shares_by_lag_are_those_of_nested_regressions() -> None:
    """Adding lags from the longest to the shortest, least squares explains step by step what is stated."""
    v_mv, i_na, *_ = recording(bridge_mohm=12.0, n_samples=20_000)
    measured = early_variance(v_mv, i_na, DT_MS, memory_ms=2.0)
    past = np.stack([i_na[20 - lag : len(i_na) - lag] for lag in range(20)], axis=1)
    target = (v_mv[1:] - v_mv[:-1])[19:]

    def explained(lags: range) -> float:
        columns = np.column_stack([past[:, list(lags)], np.ones(len(past))])
        residual = target - columns @ np.linalg.lstsq(columns, target, rcond=None)[0]
        return 1 - residual.var() / target.var()

    assert measured.increments == pytest.approx(explained(range(20)) - explained(range(5, 20)), rel=1e-6)
    assert measured.increments_by_lag[3] == pytest.approx(explained(range(3, 20)) - explained(range(4, 20)), rel=1e-4)


def test_compensate_is_the_stated_sum_on_both_kinds_of_array() -> None:
    """A step of 0.1 nA through 10, 5 MOhm takes off 1, then 1.5 mV; sweeps and JAX arrays give the same."""
    i_na = np.array([0.0, 0.0, 0.1, 0.1, 0.1])
    np.testing.assert_allclose(compensate(np.zeros(5), i_na, np.array([10.0, 5.0])), [0, 0, -1.0, -1.5, -1.5])
    sweeps = np.stack([noise_current(300, 5), 0.1 + noise_current(300, 6)])
    kernel = np.array([-3.0, 8.0, 2.0, 1.0])
    by_numpy = compensate(np.full(sweeps.shape, -60.0), sweeps, kernel)
    by_jax = compensate(jnp.full(sweeps.shape, -60.0), jnp.asarray(sweeps), jnp.asarray(kernel))
    np.testing.assert_allclose(by_jax, by_numpy, atol=1e-12)
    np.testing.assert_allclose(by_numpy[1], compensate(np.full(300, -60.0), sweeps[1], kernel))


def test_what_cannot_be_estimated_is_refused() -> None:
    """Spikes, a short recording, a constant current, gaps, or a bridge that nobody mentioned, each with the way out."""
    v_mv, i_na, *_ = recording(bridge_mohm=12.0, n_samples=20_000)
    spiking, gappy = v_mv.copy(), v_mv.copy()
    spiking[500], gappy[500] = 20.0, np.nan
    with pytest.raises(InputError, match="without spikes"):
        estimate_electrode_kernel(spiking, i_na, DT_MS, bridge_balanced=True)
    with pytest.raises(InputError, match="not finite"):
        estimate_electrode_kernel(gappy, i_na, DT_MS, bridge_balanced=True)
    with pytest.raises(InputError, match="shorten the kernel"):
        estimate_electrode_kernel(v_mv[:5000], i_na[:5000], DT_MS, bridge_balanced=True)
    with pytest.raises(InputError, match="constant"):
        estimate_electrode_kernel(v_mv, np.zeros_like(i_na), DT_MS, bridge_balanced=True)
    with pytest.raises(InputError, match="bridge_balanced=True"):
        estimate_electrode_kernel(v_mv, i_na, DT_MS, bridge_balanced=False)
    with pytest.raises(InputError, match="record faster"):
        early_variance(v_mv, i_na, 0.25)
    with pytest.raises(InputError, match="shapes"):
        compensate(v_mv, i_na[:-1], np.ones(3))


def test_a_real_electrode_has_a_kernel(cell: dict[str, np.ndarray], electrode: ElectrodeKernel) -> None:
    """The amplifier had balanced its bridge: the first response is negative, 8 MOhm are left, and decay in 0.3 ms."""
    assert electrode.kernel_mohm[1] < -6 < 3 < electrode.kernel_mohm[2]
    assert 7 < electrode.resistance_mohm < 9.5
    assert 0.28 < electrode.tau_ms < 0.36
    assert 135 < electrode.membrane_resistance_mohm < 152
    assert 22 < electrode.membrane_tau_ms < 27
    assert electrode.whole.explained_variance > 0.98
    assert electrode.resistance_sd_mohm < 0.5
    with pytest.raises(InputError, match="bridge_balanced=True"):
        estimate_electrode_kernel(cell["aec_V_volt"], cell["aec_I_amp"], DT_MS, bridge_balanced=False)


def test_compensation_removes_the_artefact_from_a_half_that_the_kernel_never_saw(cell: dict[str, np.ndarray]) -> None:
    """The kernel of the first 5 s takes the electrode's share of the last 5 s from 8 % to below 0.05 %."""
    v_mv, i_na, half = cell["aec_V_volt"], cell["aec_I_amp"], 50_000
    kernel = estimate_electrode_kernel(v_mv[:half], i_na[:half], DT_MS, bridge_balanced=True, kernel_ms=50).kernel_mohm
    before = early_variance(v_mv[half:], i_na[half:], DT_MS)
    after = early_variance(compensate(v_mv, i_na, kernel)[half:], i_na[half:], DT_MS)
    assert before.electrode > 0.07 and after.electrode < 5e-4
    assert before.increments > 0.5 and after.increments < 0.05


def test_compensation_removes_the_artefact_from_other_recordings_of_the_cell(
    cell: dict[str, np.ndarray], electrode: ElectrodeKernel
) -> None:
    """In spiking repeats under four times stronger noise the electrode's share falls from 8 % to below 0.05 %.

    At the largest jumps of the current the voltage no longer jumps along: within a sample it bent by more than 4 MOhm,
    against the current, and bends by what a capacitance of 100 to 250 pF takes in a sample, along with it.
    """
    v_mv, i_na = cell["V_volt"][::4], cell["I_amp"][::4]
    restored = compensate(v_mv, i_na, electrode.kernel_mohm)
    keep = np.ones(v_mv.shape, bool)
    for sweep, sample in np.argwhere(v_mv > -30):
        keep[sweep, max(sample - 30, 0) : sample + 100] = False
    before, after = (early_variance(one, i_na, DT_MS, keep=keep).electrode for one in (v_mv, restored))
    assert before > 0.07 and after < 5e-4

    jump = np.diff(i_na)[:, 1:-1]
    largest = (np.abs(jump) > np.quantile(np.abs(jump), 0.99)) & keep[:, 2:-1]
    # A jump bends the voltage of a membrane by dt / C, and nothing that goes on smoothly around it.
    bends = [np.diff(one, n=2)[:, 1:] for one in (v_mv, restored)]
    slopes = [float(jump[largest] @ bend[largest] / (jump[largest] @ jump[largest])) for bend in bends]
    assert slopes[0] < -4 and 0.4 < slopes[1] < 1.0
