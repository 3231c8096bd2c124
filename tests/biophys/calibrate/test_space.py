"""What is free: scales, bounds, priors, and what is refused."""

import jax.numpy as jnp
import numpy as np
import pytest

from biophys.calibrate import Free, Prior
from biophys.calibrate.space import Space, space_of
from biophys.models import ALL
from twin.errors import InputError


def test_a_log_scale_puts_the_geometric_mean_in_the_middle():
    """10 is half-way between 1 and 100 on a log scale, 50.5 on a linear one, and positions invert values."""
    assert Free("a", 10.0, 1.0, 100.0).to_unit() == pytest.approx(0.5)
    assert Free("a", 50.5, 1.0, 100.0, "linear").to_unit() == pytest.approx(0.5)
    space = Space((Free("a", 10.0, 1.0, 100.0), Free("b", -60.0, -80.0, -40.0, "linear")))
    positions = np.random.default_rng(0).uniform(size=(5, 2))
    np.testing.assert_allclose(space.positions(space.values(positions)), positions, atol=1e-12)
    np.testing.assert_allclose(space.values(jnp.asarray(positions))["a"], space.values(positions)["a"], rtol=1e-12)


def test_a_prior_costs_half_a_nat_at_one_deviation():
    """One deviation from the mean costs 1/2, two cost 2; on a log scale a deviation is relative."""
    plain = Free("a", 12.0, 0.0, 20.0, "linear", prior=Prior(10.0, 2.0))
    np.testing.assert_allclose(plain.penalty(plain.position_of(np.array([10.0, 12.0, 6.0]))), [0, 0.5, 2], atol=1e-12)
    log = Free("a", 12.0, 1.0, 100.0, prior=Prior(10.0, 0.1))
    np.testing.assert_allclose(log.penalty(log.position_of(np.array([10.0, 10 * np.exp(0.1)]))), [0, 0.5], atol=1e-12)


def test_bounds_come_from_the_model_in_its_units():
    """Without bounds, all parameters that the model bounds are free, with the model's start, unit and limits."""
    space = space_of(ALL["lif"])
    assert space.names == tuple(one.name for one in ALL["lif"].fitted)
    capacity = space.free[0]
    assert (capacity.name, capacity.unit, capacity.scale) == ("C", "pF", "log")
    assert (capacity.low, capacity.high, capacity.start) == (20.0, 2000.0, 200.0)


def test_what_cannot_be_free_is_refused():
    """Bounds that exclude the start, unknown names, names given twice, no name, and a prior without width."""
    with pytest.raises(InputError, match=r"C starts at 200 within \[10, 100\].*move the start or widen the bounds"):
        space_of(ALL["lif"], {"C": (10, 100)})
    assert space_of(ALL["lif"], {"C": (10, 100)}, {"C": 50}).start[0] > 0.5
    with pytest.raises(InputError, match="lif has no parameter C_m; it has C, g_L"):
        space_of(ALL["lif"], {"C_m": (10, 1000)})
    with pytest.raises(InputError, match="each only once"):
        Space((Free("a", 1.0, 0.1, 2.0), Free("a", 1.0, 0.1, 2.0)))
    with pytest.raises(InputError, match="one or more"):
        Space(())
    with pytest.raises(InputError, match="deviation above 0"):
        Free("a", 1.0, 0.1, 2.0, prior=Prior(1.0, 0.0))
