"""What of the model is free, and within what, from the words of the command line."""

from collections.abc import Sequence

from biophys.calibrate import Free
from biophys.calibrate.space import space_of
from biophys.models import NeuronModel
from twin.errors import InputError


def free_of(
    model: NeuronModel, bounds: Sequence[str], fixed: Sequence[str]
) -> tuple[dict[str, Free], dict[str, float]]:
    """Free quantities and fixed values.

    Args:
        model: whose.
        bounds: "NAME=LOW:HIGH" in the parameter's unit; a parameter that is not named keeps the model's bounds.
        fixed: "NAME=VALUE", for parameters that are not fitted.

    Raises:
        InputError: a text of another form, a parameter that the model has not, or nothing is left to be fitted.
    """
    values = {name: _number(value, f"--fix {name}=VALUE") for name, value in map(_pair("--fix"), fixed)}
    for name in values:
        model.parameter(name)  # refuses one that is not there
    limits = {one.name: one.bounds for one in model.fitted if one.bounds is not None and one.name not in values}
    start = {}
    for name, text in map(_pair("--bounds"), bounds):
        if name in values:
            raise InputError(f"{name} is both in --fix and in --bounds; name it once.")
        low, found, high = text.partition(":")
        if not found:
            raise InputError(f"--bounds {name}={text}: wanted {name}=LOW:HIGH, as in {name}=5:30.")
        edges = tuple(_number(edge, f"--bounds {name}=LOW:HIGH") for edge in (low, high))
        limits[name] = (edges[0], edges[1])
        own = model.parameter(name).value
        start[name] = own if edges[0] <= own <= edges[1] else sum(edges) / 2
    if not limits:
        raise InputError(f"{model.name}: all parameters are fixed; leave some to be fitted.")
    return {one.name: one for one in space_of(model, limits, start).free}, values


def _pair(option: str):
    def split(text: str) -> tuple[str, str]:
        name, found, value = text.partition("=")
        if not found or not name:
            raise InputError(f"{option} {text}: wanted NAME=..., as in g_L=...")
        return name.strip(), value.strip()

    return split


def _number(text: str, wanted: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{text!r} is no number; wanted {wanted}.") from None
