"""The circuit: the compiled cell and Brian2 give the same spikes in the same loop, and interventions act."""

import jax
import numpy as np
import pytest

from biophys.circuit import CellCircuit
from biophys.corrections.model import correct
from biophys.models import ALL
from twin import perturb, recording
from twin.alone import PassThrough
from twin.coupling import Coupling, Twin, Wire
from twin.errors import InputError
from twin.ports import Port
from twin.protocol import Covariate, Protocol
from twin.recording import Stream

AT_28 = Protocol({"temperature": Covariate(28.0, "degC", "reported", "thermometer")})
CELL = correct(ALL["auditory_receptor"], AT_28)
VALUES = CELL.values | {"g_na": 2.84, "g_k": 0.72, "g_a": 0.36, "g_slow": 0.08, "g_l": 0.006, "sigma_noise": 0.05}
SOUND = Port("sound", "dB", 1)


def twin(values=VALUES, **options) -> Twin:
    circuit = CellCircuit(CELL.model, values, window_s=0.0005, **options)
    drive = PassThrough(0.0005, SOUND, latency_windows=3, resting=-20.0)
    return Twin(drive, circuit, Coupling((Wire("sound", "I_drive", gain=0.02, offset=0.5),)), name="cell")


def sound(duration_s: float = 0.15) -> Stream:
    random = np.random.default_rng(0)
    return Stream(-16.0 + 6.0 * np.repeat(random.normal(size=round(duration_s * 100)), 20), 2000.0, "dB")


def spikes(model: Twin, **options) -> list[np.ndarray]:
    return recording.spike_times(model.rollout(sound(), key=jax.random.key(3), **options))


@pytest.mark.parametrize("done", [(), (perturb.ChannelBlock("na", 0.4), perturb.Temperature(-5.0))])
def test_brian2_gives_the_same_spikes(done):
    """Same text, same drive, same noise: not one spike of difference between the compiled cell and Brian2."""
    model = twin()
    compiled, referee = (spikes(model, interventions=done, engine=engine)[0] for engine in ("jax", "brian2"))
    np.testing.assert_array_equal(compiled, referee)
    assert len(compiled) > 2


def test_the_referee_would_notice_a_small_difference():
    """A planted defect: 2 % more sodium conductance in one of the two engines moves spikes."""
    compiled = spikes(twin())[0]
    referee = spikes(twin(VALUES | {"g_na": 1.02 * VALUES["g_na"]}), engine="brian2")[0]
    assert compiled.tolist() != referee.tolist()


def test_several_cells_have_their_own_noise_and_the_same_spikes_in_brian2():
    """Three cells of one circuit differ from each other and agree with the referee."""
    model = twin(n_cells=3)
    trees = [model.rollout(sound(), key=jax.random.key(3), engine=engine) for engine in ("jax", "brian2")]
    compiled, referee = ([recording.spike_times(tree, unit)[0].tolist() for unit in range(3)] for tree in trees)
    assert compiled == referee and compiled[0] != compiled[1] != compiled[2]


def test_interventions_act_as_physiology_says():
    """No sodium channels, no spikes; depolarising current gives more spikes; a block of nothing changes nothing."""
    model = twin()
    control = spikes(model)[0]
    assert len(spikes(model, interventions=(perturb.ChannelBlock("na", 1.0),))[0]) == 0
    assert len(spikes(model, interventions=(perturb.CurrentOffset(0.2),))[0]) > len(control)
    np.testing.assert_array_equal(spikes(model, interventions=(perturb.ChannelBlock("na", 0.0),))[0], control)


def test_single_precision_stays_single_and_near():
    """The search runs in float32: every state is float32, and the spike count is within a few of float64's."""
    model = twin(dtype=np.float32)
    state = model.circuit.init(None, model.circuit.parameters)
    floats = {leaf.dtype for leaf in jax.tree.leaves(state) if np.issubdtype(leaf.dtype, np.floating)}
    assert floats == {np.dtype(np.float32)}
    assert abs(len(spikes(model)[0]) - len(spikes(twin())[0])) <= 2


def test_faulty_sizes_and_values_are_refused():
    """A window that is no whole number of steps, and a parameter that the model has not."""
    with pytest.raises(InputError, match="no whole number of steps"):
        CellCircuit(CELL.model, VALUES, window_s=0.00012)
    with pytest.raises(InputError, match="no parameter 'g_ca'"):
        CellCircuit(CELL.model, VALUES | {"g_ca": 1.0}, window_s=0.0005)
