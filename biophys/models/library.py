"""All published models: a new one is a new module and one name in this list."""

from biophys.models import auditory_receptor
from biophys.models.model import NeuronModel

ALL: dict[str, NeuronModel] = {model.name: model for model in (auditory_receptor.MODEL,)}
