"""Sweeps whose file does not say which clamp they were recorded in."""

from twin.protocol import Covariate

MEASURED = {"current": "V", "zero": "V", "voltage": "A"}  # clamp -> what kind of unit the measured signal has
IMPOSED = {"current": "A", "zero": "A", "voltage": "V"}


def unstated(has_voltage: bool, why: str) -> Covariate:
    """The covariate `clamp` of such sweeps: unreported, with how they are laid out."""
    layout = "current" if has_voltage else "voltage"
    return Covariate(None, "1", "unreported", f"{why}; the sweeps are laid out as in {layout} clamp")


def layout(clamp: Covariate, has_voltage: bool) -> str:
    """The clamp that sweeps are stored under: unstated, that in which what is there would have been measured."""
    return ("current" if has_voltage else "voltage") if clamp.value is None else str(clamp.value)
