"""What each model is, and which inputs its scores use."""

from collections.abc import Mapping

from experiments.v1_transfer.recipes import INPUTS
from experiments.v1_transfer.transfer import inputs_of

_READOUT = "readout of the frozen core and of linear features, fitted to the mouse"
_LINEAR = "linear readout"
_WHAT: Mapping[str, str] = {
    "condition_mean": "mean of the fitted trials of the direction",
    "running_and_pupil": f"{_LINEAR}: behaviour and a common time course",
    "trial_index": f"{_LINEAR}: number of the trial and a common time course",
    "glm": f"{_LINEAR}: direction by time, running and pupil",
    "glm_trial_index": f"{_LINEAR}: that of glm, and the number of the trial",
    "glm_shared_gain": f"{_LINEAR}: that of glm, and the mean residual of the other neurons, alone and times glm",
    "glm_others": f"{_LINEAR}: that of glm, and each other neuron in the same window",
    "glm_trial_index_others": f"{_LINEAR}: that of glm_others, and the number of the trial",
    "glm_own_past": f"{_LINEAR}: that of glm_trial_index, and the neuron's own last windows",
    "glm_everything": f"{_LINEAR}: that of glm_own_past, and each other neuron in the same window",
    "zero_shot_glm": "mean weights of glm of the neurons of the other mice; nothing is fitted to the mouse",
    "zero_shot": "what the network expects of an average neuron; nothing is fitted to the mouse",
    "zero_shot_past": "the same with the neuron's own past",
    "adapted_by_gradient": "rows of the pretrained network, core frozen, fitted to the mouse by gradient",
    "from_scratch": "the same network, trained on the mouse alone",
    "random_core": "the readout of adapted from a network that was never trained",
    "random_core_encoding": "the readout of adapted_encoding from a network that was never trained",
    "ceiling": "a perfect model of the stimulus alone",
}


def told(model: str) -> str:
    """What a model is, and its inputs."""
    return f"{_WHAT.get(model, _READOUT)}; uses {spoken(inputs_of(model)) or 'stimulus'}"


def spoken(inputs: tuple[str, ...]) -> str:
    """Inputs as a list in words."""
    return ", ".join(one for one in INPUTS if one in inputs).replace("_", " ")
