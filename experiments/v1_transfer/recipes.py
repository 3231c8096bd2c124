"""Every model that is a linear readout: which bands it has, and so which inputs it uses."""

import dataclasses

INPUTS = ("stimulus", "behaviour", "own_past", "others", "trial_index")
# Bands, and the input that each stands for. Core and average neuron stand for the inputs that the network was given.
INPUT_OF = {
    "clock": "stimulus",
    "direction": "stimulus",
    "behaviour": "behaviour",
    "trial_index": "trial_index",
    "fine_trial_index": "trial_index",
    "own_past": "own_past",
    "others": "others",
    "others_around": "others",
    "shared_gain": "others",
}
FEW, MANY = 7, 20  # bumps over the number of the trial, of `trial_index` and `fine_trial_index`


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A model.

    Attributes:
        model: its name in the report.
        bands: its features.
        network: whether core and average neuron of a network come to them: "pretrained", "untrained", or none.
    """

    model: str
    bands: tuple[str, ...]
    network: str | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that it uses."""
        used = {INPUT_OF[band] for band in self.bands}
        return tuple(one for one in INPUTS if one in used)


GLM_BANDS = ("clock", "direction", "behaviour")
CONDITION_MEAN, GLM, ZERO_SHOT = "condition_mean", "glm", "zero_shot_glm"
LINEAR = (
    Recipe("running_and_pupil", ("clock", "behaviour")),
    Recipe("trial_index", ("clock", "trial_index")),
    Recipe(GLM, GLM_BANDS),
    Recipe("glm_trial_index", (*GLM_BANDS, "trial_index")),
    Recipe("glm_shared_gain", (*GLM_BANDS, "shared_gain")),
    Recipe("glm_others", (*GLM_BANDS, "others")),
    Recipe("glm_trial_index_others", (*GLM_BANDS, "trial_index", "others")),
    Recipe("glm_own_past", (*GLM_BANDS, "trial_index", "own_past")),
    Recipe("glm_everything", (*GLM_BANDS, "trial_index", "own_past", "others")),
)
_BANDS_OF = {
    "stimulus": ("clock", "direction"),
    "behaviour": ("behaviour",),
    "trial_index": ("fine_trial_index",),
    "own_past": ("own_past",),
    "others": ("others", "others_around"),
}


def adapted(model: str, *inputs: str, network: str = "pretrained") -> Recipe:
    """A readout of a network's core and of what a linear model has of the same inputs."""
    return Recipe(model, tuple(band for one in INPUTS if one in inputs for band in _BANDS_OF[one]), network)


ADAPTED = adapted("adapted", *(one for one in INPUTS if one != "others"))
WITH_OTHERS = adapted("adapted_others", *INPUTS)
# Without the neuron's own past, the two score what the simple methods of the reference could see.
NO_PAST = adapted("adapted_no_past", "stimulus", "behaviour", "trial_index")
NO_PAST_OTHERS = adapted("adapted_no_past_others", "stimulus", "behaviour", "trial_index", "others")
ENCODING = adapted("adapted_encoding", "stimulus", "behaviour")
CONTROLS = (
    adapted("random_core", *ADAPTED.inputs, network="untrained"),
    adapted("random_core_encoding", *ENCODING.inputs, network="untrained"),
)
ABLATIONS = tuple(
    adapted(f"adapted_without_{left}", *(one for one in INPUTS if one != left))
    for left in ("stimulus", "behaviour", "trial_index")
)
FULL = (ENCODING, NO_PAST, ADAPTED, NO_PAST_OTHERS, WITH_OTHERS, *ABLATIONS, *CONTROLS)
QUARTER = (ENCODING, NO_PAST, ADAPTED, NO_PAST_OTHERS, WITH_OTHERS)
QUARTER_LINEAR = tuple(one for one in LINEAR if one.model not in ("running_and_pupil", "trial_index"))
# What each claim compares an adapted readout with: the linear model of the same inputs.
SAME_INPUTS = {
    "adapted_encoding": GLM,
    "adapted_no_past": "glm_trial_index",
    "adapted": "glm_own_past",
    "adapted_no_past_others": "glm_trial_index_others",
    "adapted_others": "glm_everything",
}
