"""The observation model: its equations one by one, its inverse, its gradients, and what a protocol must say."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from biophys.corrections import LowPass, add_bridge_error, charge_pipette, remove_junction_potential
from biophys.observation import UNITS, ObservationModel
from twin.errors import InputError, UnreportedError
from twin.protocol import Covariate, Protocol

RATE_HZ = 100_000.0
PROTOCOL = Protocol(
    {
        "junction_potential": Covariate(14.0, "mV"),
        "junction_potential_corrected": Covariate(False),
        "series_resistance": Covariate(20.0, "MOhm"),
        "series_resistance_compensation": Covariate(70.0, "%"),
        "bridge_balance": Covariate(15.0, "MOhm"),
        "low_pass_filter": Covariate(5000.0, "Hz"),
        "sampling_rate": Covariate(20_000.0, "Hz"),
    }
)
UNSAID = {"pipette_capacitance": 5.0, "low_pass_filter_family": "bessel", "low_pass_filter_poles": 4}
NOTHING_LOST = ("low_pass_filter", "sampling_rate")


def model(clamp: str = "current", leave_out: tuple[str, ...] = (), **given: float) -> ObservationModel:
    return ObservationModel.from_protocol(
        PROTOCOL, model_rate_hz=RATE_HZ, clamp=clamp, given={**UNSAID, **given}, leave_out=leave_out
    )


def traces(clamp: str = "current") -> tuple[np.ndarray, np.ndarray]:
    """Two sweeps of a wandering membrane potential, and of an injected current or a command with a step."""
    v_mv = -65.0 + np.random.default_rng(7).standard_normal((2, 3000)).cumsum(axis=-1) * 0.1
    step = (np.arange(3000) > 1000) * np.array([[0.2], [-0.1]])
    return v_mv, step if clamp == "current" else -70.0 + 100.0 * step


def test_the_junction_potential_has_the_sign_of_the_correction() -> None:
    """-74 mV with +14 mV of junction potential is recorded as -60 mV, and corrected back; the wrong sign says -88."""
    still, none = np.full(100, -74.0), np.zeros(100)
    one = model()
    recorded = one.forward(still, none, one.params)
    np.testing.assert_allclose(recorded, -60.0, rtol=1e-12)
    np.testing.assert_allclose(remove_junction_potential(recorded, 14.0), -74.0)
    wrong = one.forward(still, none, {**one.params, "junction_potential_mv": -14.0})
    np.testing.assert_allclose(wrong, -88.0)


def test_current_clamp_is_the_chain_of_its_parts() -> None:
    """Series resistance, pipette, bridge, junction potential, filter, sampling, in this order."""
    one, (v_mv, i_na) = model(), traces()
    at_pipette = charge_pipette(add_bridge_error(v_mv, i_na, 20.0, 0.0), 0.1, 0.01)
    expected = LowPass("bessel", 4, 5000.0, RATE_HZ)(at_pipette - 15.0 * i_na + 14.0)[:, ::5]
    np.testing.assert_allclose(one.forward(v_mv, i_na, one.params), expected, atol=1e-9)
    np.testing.assert_allclose(one.forward(jnp.asarray(v_mv), jnp.asarray(i_na), one.params), expected, atol=1e-9)
    assert (one.dt_ms, one.factor) == (pytest.approx(0.05), 5)
    steady = one.forward(np.full(500, -74.0), np.full(500, 0.2), one.params)[-1]
    assert steady == pytest.approx(-74.0 + 0.2 * (20.0 - 15.0) + 14.0)


def test_voltage_clamp_shows_the_current_through_the_residual_resistance() -> None:
    """20 MOhm at 70 % leave 6 MOhm: a membrane 6 mV behind its command, junction potential off, carries 1 nA."""
    one = model("voltage")
    recorded = one.forward(np.full(200, -20.0), np.zeros(200), one.params)
    np.testing.assert_allclose(recorded, (0.0 - 14.0 + 20.0) / 6.0)


@pytest.mark.parametrize("clamp", ["current", "voltage"])
@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray], ids=["numpy", "jax"])
def test_forward_and_inverse_are_one_another(clamp: str, kind) -> None:
    """Without filter and sampling, which are not undone, the membrane potential comes back to 1e-9 mV."""
    one, (v_mv, imposed) = model(clamp, NOTHING_LOST), map(kind, traces(clamp))
    back = one.inverse(one.forward(v_mv, imposed, one.params), imposed, one.params)
    assert np.abs(np.asarray(back) - np.asarray(v_mv)).max() < 1e-9


def test_a_wrong_parameter_in_the_inverse_is_seen() -> None:
    """The planted defects: a parameter of the inverse, changed by a tenth, leaves an error a million times larger."""
    for clamp in ("current", "voltage"):
        one, (v_mv, imposed) = model(clamp, NOTHING_LOST), traces(clamp)
        recorded = one.forward(v_mv, imposed, one.params)
        for name, value in one.params.items():
            back = one.inverse(recorded, imposed, {**one.params, name: 0.9 * value})
            assert np.abs(back - v_mv).max() > 1e-3, name


def test_through_the_filter_the_inverse_gives_the_filtered_membrane() -> None:
    """The filter is not deconvolved: without a pipette's capacitance the inverse is the filtered membrane potential."""
    one, (v_mv, i_na) = model(leave_out=("sampling_rate", "pipette_capacitance")), traces()
    slow = LowPass("bessel", 4, 200.0, RATE_HZ)
    back = one.inverse(one.forward(v_mv, slow(i_na), one.params), slow(i_na), one.params)
    assert one.low_pass is not None
    late = slow(i_na) - one.low_pass(slow(i_na))
    np.testing.assert_allclose(back, one.low_pass(v_mv) - (20.0 - 15.0) * late, atol=1e-9)


@pytest.mark.parametrize("clamp", ["current", "voltage"])
def test_gradients_are_those_of_finite_differences(clamp: str) -> None:
    """Every parameter can be fitted: `grad` of the squared error agrees with central differences to 1e-5."""
    one = model(clamp)
    v_mv, imposed = map(jnp.asarray, traces(clamp))
    target = one.forward(v_mv, imposed, one.params) + 0.3
    params = {name: jnp.asarray(1.1 * value) for name, value in one.params.items()}

    @jax.jit
    def error(values: dict[str, jax.Array]) -> jax.Array:
        return jnp.mean((one.forward(v_mv, imposed, values) - target) ** 2)

    gradient = jax.grad(error)(params)
    for name, value in params.items():
        step = 1e-4 * value
        ahead, behind = (error({**params, name: value + sign * step}) for sign in (1.0, -1.0))
        assert float(gradient[name]) == pytest.approx(float((ahead - behind) / (2 * step)), rel=1e-5), name
        assert gradient[name] != 0, name


def test_one_program_serves_many_parameters() -> None:
    """`vmap` over the series resistance gives what one call each gives."""
    one, (v_mv, i_na) = model(), map(jnp.asarray, traces())

    def shown(resistance: jax.Array | float) -> jax.Array:
        return one.forward(v_mv, i_na, {**one.params, "series_resistance_mohm": resistance})

    together = jax.vmap(shown)(jnp.array([5.0, 10.0, 20.0]))
    for resistance, trace in zip((5.0, 10.0, 20.0), together, strict=True):
        np.testing.assert_allclose(trace, shown(resistance), atol=1e-10)


def test_unknowns_are_found_by_gradient_from_what_was_recorded() -> None:
    """Junction potential and series resistance, both unknown, are found by Gauss-Newton steps through the filter."""
    one, (v_mv, i_na) = model(), map(jnp.asarray, traces())
    recorded = one.forward(v_mv, i_na, one.params)

    def leftover(unknown: jax.Array) -> jax.Array:
        found = {**one.params, "junction_potential_mv": unknown[0], "series_resistance_mohm": unknown[1]}
        return (one.forward(v_mv, i_na, found) - recorded).ravel()

    unknown = jnp.array([0.0, 8.0])
    for _ in range(4):
        unknown = unknown - jnp.linalg.lstsq(jax.jacfwd(leftover)(unknown), leftover(unknown))[0]
    np.testing.assert_allclose(unknown, [14.0, 20.0], rtol=1e-6)


def test_noise_has_the_stated_size_and_the_filters_spectrum() -> None:
    """0.2 mV as recorded, from the first sample on; quiet above the corner; and the same for the same key."""
    v_mv = jnp.zeros((20, 20_000))
    one = model(noise_sd=0.2, low_pass_filter=1000.0)
    noise = np.asarray(one.forward(v_mv, v_mv, one.params, jax.random.key(0))) - 14.0
    assert noise.shape == (20, 4000)
    assert noise.std() == pytest.approx(0.2, rel=0.02)
    assert noise[:, :20].std() == pytest.approx(0.2, rel=0.25)
    power = (np.abs(np.fft.rfft(noise)) ** 2).mean(axis=0)
    assert power[2000:].mean() < 1e-4 * power[10:100].mean()
    again = np.asarray(one.forward(v_mv, v_mv, one.params, jax.random.key(0))) - 14.0
    np.testing.assert_array_equal(noise, again)
    white = model(leave_out=NOTHING_LOST, noise_sd=0.2)
    assert np.asarray(white.forward(v_mv, v_mv, white.params, jax.random.key(1))).std() == pytest.approx(0.2, rel=0.01)
    silent = model()
    with pytest.raises(InputError, match="noise_sd"):
        silent.forward(v_mv, v_mv, silent.params, jax.random.key(0))


def test_what_was_removed_already_is_not_predicted() -> None:
    """Stored voltages without junction potential or electrode drop are predicted without them."""
    done = {"junction_potential_corrected": Covariate(True), "series_resistance_corrected": Covariate(True)}
    one = ObservationModel.from_protocol(
        PROTOCOL.updated(done), model_rate_hz=RATE_HZ, clamp="current", given=UNSAID, leave_out=NOTHING_LOST
    )
    assert set(one.params.values()) == {0.0}
    v_mv, i_na = traces()
    np.testing.assert_array_equal(one.forward(v_mv, i_na, one.params), v_mv)
    assert set(one.params) <= set(UNITS)


@pytest.mark.parametrize(
    "name",
    ["junction_potential", "junction_potential_corrected", "series_resistance", "bridge_balance", "low_pass_filter"],
)
def test_an_unreported_value_stops_the_model_until_given_or_left_out(name: str) -> None:
    """Nothing is assumed: the sentence names the value, and leaving its part out is said, not implied."""
    protocol = Protocol({known: one for known, one in PROTOCOL.items() if known != name and one.value is not None})
    with pytest.raises(UnreportedError, match=f"needs {name} .*unreported"):
        ObservationModel.from_protocol(protocol, model_rate_hz=RATE_HZ, clamp="current", given=UNSAID)
    part = {"bridge_balance": "series_resistance", "junction_potential_corrected": "junction_potential"}.get(name, name)
    left = ObservationModel.from_protocol(
        protocol, model_rate_hz=RATE_HZ, clamp="current", given=UNSAID, leave_out=(part,)
    )
    assert left.low_pass is None or 0.0 in left.params.values()


def test_what_makes_no_sense_is_refused() -> None:
    """Unknown names, rates that do not fit, an unknown clamp, shapes that differ, negative resistances."""
    with pytest.raises(UnreportedError, match="needs low_pass_filter_family"):
        ObservationModel.from_protocol(
            PROTOCOL, model_rate_hz=RATE_HZ, clamp="current", given={"pipette_capacitance": 0.0}
        )
    with pytest.raises(InputError, match="was given capacitance"):
        model(capacitance=3.0)
    with pytest.raises(InputError, match="bridge cannot be left out"):
        model(leave_out=("bridge",))
    with pytest.raises(InputError, match="run the model at"):
        ObservationModel.from_protocol(PROTOCOL, model_rate_hz=30_000, clamp="current", given=UNSAID)
    with pytest.raises(InputError, match="'zero'"):
        model("zero")
    with pytest.raises(UnreportedError, match="clamp"):
        ObservationModel.from_protocol(PROTOCOL, model_rate_hz=RATE_HZ, given=UNSAID)
    with pytest.raises(InputError, match="a number for bridge_balance"):
        model(bridge_balance="by sweep")
    with pytest.raises(InputError, match="series_resistance_mohm is -3.0"):
        model(series_resistance=-3.0)
    one = model()
    with pytest.raises(InputError, match="the same for both"):
        one.forward(np.zeros(10), np.zeros(11), one.params)
