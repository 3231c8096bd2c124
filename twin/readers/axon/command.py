"""The command waveform of an Axon file, from the epochs in its header.

Clampex holds the command for the first 1/64 of a sweep, goes through the epochs, and holds it again; with
"keeps_last_level" it goes on at the level where the sweep before ended. The pieces follow pCLAMP's description of the
epoch table; steps and ramps are compared with pyABF in the tests.
"""

import numpy as np

from twin.readers.axon.parts import Epoch, Header, Output

STEP, RAMP, PULSES = 1, 2, 3
_KINDS = {4: "a triangle train", 5: "a cosine train", 7: "a biphasic train"}
_LONGEST_WAIT = 64  # the first 1/64 of a sweep comes before the first epoch


def known(header: Header) -> list[Output]:
    """The commands that were played and can be told from the header."""
    return [output for output in header.outputs if output.enabled and not unknown(header, output)]


def unknown(header: Header, output: Output) -> str:
    """Why the command cannot be told from the header; "" where it can."""
    if output.from_file:
        return f"the command {output.name!r} was played from a file of its own"
    if header.varied_by_list:
        return f"the command {output.name!r} was varied by a list of values"
    if header.alternating:
        return f"the command {output.name!r} alternates with another one"
    if len({n for _, n, _ in header.sweeps}) > 1:
        return f"the command {output.name!r} belongs to sweeps of different lengths"
    for epoch in output.epochs:
        if epoch.kind not in (STEP, RAMP, PULSES) or (epoch.kind == PULSES and epoch.pulse_period <= 0):
            return f"the command {output.name!r} has {_KINDS.get(epoch.kind, f'an epoch of the type {epoch.kind}')}"
    return ""


def waveform(header: Header, output: Output, sweep: int) -> np.ndarray:
    """The command of one sweep in the output's own unit, float64.

    An epoch that begins before the sweep or lasts beyond its end is cut there, as the amplifier does.
    """
    n_samples = header.sweeps[sweep][1]
    before = output.holding
    if output.keeps_last_level and sweep > 0 and output.epochs:
        before = _level(output.epochs[-1], sweep - 1)
    command = np.full(n_samples, before)
    position, level = n_samples // _LONGEST_WAIT, before
    for epoch in output.epochs:
        stop = position + max(0, epoch.duration + epoch.duration_step * sweep)
        piece = _piece(epoch, level, _level(epoch, sweep), min(stop, n_samples) - position, stop - position)
        command[position : position + len(piece)] = piece
        position, level = min(stop, n_samples), _level(epoch, sweep)
    command[position:] = level if output.keeps_last_level else output.holding
    return command


def _level(epoch: Epoch, sweep: int) -> float:
    return epoch.level + epoch.level_step * sweep


def _piece(epoch: Epoch, before: float, level: float, n: int, whole: int) -> np.ndarray:
    """The first `n` of the `whole` samples of an epoch."""
    if epoch.kind == RAMP:
        return before + (level - before) * np.arange(n) / max(whole - 1, 1)
    if epoch.kind == PULSES:
        within = np.arange(n)
        complete = within < whole // epoch.pulse_period * epoch.pulse_period
        return np.where(complete & (within % epoch.pulse_period < epoch.pulse_width), level, before)
    return np.full(n, level)
