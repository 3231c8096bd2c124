"""Text files of the CRCNS data set ia-1 (insect auditory receptor neurons): a sound envelope and the spikes it evoked.

A stimulus file has two columns, time in microseconds and sound amplitude. A spike-time file starts with `# key: value`
lines, which describe the experiment and become part of the protocol, goes on with one spike time in microseconds a
line, and ends with an empty line: a file without it was cut off.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from twin import provenance, recording
from twin.errors import InputError
from twin.protocol import Covariate, Protocol
from twin.recording import Stream

_MICROSECONDS = 1e-6
# Header keys that mean something to us: key -> (covariate, unit). The header gives the unit in the key itself.
_HEADER = {
    "stimulus file": ("stimulus_file", "1"),
    "carrier freq (kHz)": ("carrier_frequency", "kHz"),
    "stimulus length (msec)": ("stimulus_length", "ms"),
    "pause between stimuli (msec)": ("stimulus_pause", "ms"),
    "length of ramp (usec)": ("stimulus_ramp", "us"),
    "desired firing rate (Hz)": ("desired_firing_rate", "Hz"),
    "standard deviation (dB)": ("stimulus_standard_deviation", "dB"),
    "cut-off frequency (Hz)": ("stimulus_cutoff", "Hz"),
    "repetition number": ("repetition", "1"),
    "intensity (dB)": ("stimulus_intensity", "dB"),
}


FORMAT = "CRCNS ia-1 text: one stimulus file (time in microseconds, amplitude) and one spike-time file"


def accepts(paths: Sequence[Path]) -> bool:
    """Whether these are a spike-time file, which starts with a # line, and a stimulus file, which does not."""
    return sorted(_has_header(path) for path in paths) == [False, True]


def _has_header(path: Path) -> bool:
    try:
        with open(path, encoding="ascii") as file:
            first = file.read(1)
    except (OSError, UnicodeDecodeError):
        return False
    return first == "#"


def read(paths: Sequence[Path], name: str | None = None) -> xr.DataTree:
    """One trial of one unit with the sound that it heard.

    Args:
        paths: the two-column stimulus file and the spike-time file, in either order.
        name: what to call the recording; the stem of the spike-time file otherwise.

    Returns:
        A recording with `/spikes` and `/stimulus/sound`: the sound level in dB relative to the largest amplitude that
        the file format can hold (1.0), so amplitude 0.1 is -20 dB.

    Raises:
        InputError: a file is missing, cut off or not in the format, times go backwards, or the stimulus ends before
            the last spike.
    """
    stimulus_path, spikes_path = sorted(paths, key=_has_header)
    times_s, header = read_spike_times(spikes_path)
    sound = read_stimulus(stimulus_path)
    if len(times_s) and times_s[-1] >= sound.stop_s:
        raise InputError(
            f"{stimulus_path}: the stimulus ends at {sound.stop_s:g} s, before the last spike of {spikes_path} at "
            f"{times_s[-1]:g} s; give the stimulus that belongs to these spikes, whole."
        )
    tree = recording.from_spikes(
        [[times_s]],
        start_s=sound.start_s,
        stop_s=sound.stop_s,
        name=name or spikes_path.stem,
        stimuli={"sound": sound},
        protocol=Protocol(header),
    )
    hashes = {path.name: provenance.file_hash(path) for path in (stimulus_path, spikes_path)}
    return provenance.log(tree, "read CRCNS ia-1 text files", inputs=hashes)


def read_spike_times(path: str | Path) -> tuple[np.ndarray, dict[str, Covariate]]:
    """Spike times in seconds and the header as covariates.

    Raises:
        InputError: see `read`; the sentence names the file and the line.
    """
    path = Path(path)
    lines = _text(path).split("\n")
    header: dict[str, Covariate] = {}
    times: list[float] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            header |= _covariate(line, path.name)
        elif line.strip():
            times.append(_time(line, number, path, times[-1] if times else None))
    if not header:
        raise InputError(f"{path}: no '# key: value' header; wanted a spike-time file of CRCNS ia-1.")
    if lines[-2:] != ["", ""]:
        raise InputError(
            f"{path}: cut off after line {len(lines)} ({lines[-1]!r}): a whole spike-time file ends with an empty "
            "line; copy the file again."
        )
    resolution = Covariate(1e-4, "s", "computed", "smallest step of the stored times")
    if len(times) and np.allclose(np.remainder(np.array(times) * 1e4 + 0.5, 1.0), 0.5, atol=1e-6):
        header["spike_time_resolution"] = resolution
    return np.array(times), header


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give an existing file.") from error
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not a text file; wanted a text file of CRCNS ia-1.") from None


def _covariate(line: str, file_name: str) -> dict[str, Covariate]:
    key, _, text = line.lstrip("#").strip().partition(": ")
    if key not in _HEADER:
        return {}
    name, unit = _HEADER[key]
    value: float | str = text.strip()
    try:
        value = float(text)
    except ValueError:
        pass  # a text covariate, such as the name of the stimulus file
    return {name: Covariate(value, unit, "reported", f"header of {file_name}", verbatim=line.lstrip("# ").strip())}


def _time(line: str, number: int, path: Path, previous_s: float | None) -> float:
    try:
        time_s = float(line) * _MICROSECONDS
    except ValueError:
        raise InputError(f"{path}: line {number} is {line.strip()!r}; wanted a spike time in microseconds.") from None
    if not np.isfinite(time_s) or time_s < 0:
        raise InputError(f"{path}: line {number} is {line.strip()!r}; wanted a time of 0 microseconds or more.")
    if previous_s is not None and time_s <= previous_s:
        raise InputError(
            f"{path}: times go backwards on line {number}: {time_s:.6f} s comes after {previous_s:.6f} s; wanted "
            "increasing spike times of one trial (or the file was cut off within a number)."
        )
    return time_s


def read_stimulus(path: str | Path) -> Stream:
    """The sound level in dB re amplitude 1, from a stimulus file.

    Raises:
        InputError: the file is missing, has not two columns, an irregular time axis, or an amplitude that is not
            positive (its level would be infinite).
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file; give an existing stimulus file.")
    try:
        table = np.loadtxt(path, ndmin=2)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: is not a table of numbers ({error}); wanted time in microseconds and amplitude."
        ) from error
    if table.ndim != 2 or table.shape[1] != 2 or len(table) < 2:
        raise InputError(
            f"{path}: has the shape {table.shape}; wanted two columns, time in microseconds and amplitude."
        )
    steps = np.diff(table[:, 0])
    if not np.allclose(steps, steps[0]) or steps[0] <= 0:
        at = int(np.argmax(~np.isclose(steps, steps[0]))) + 2
        raise InputError(
            f"{path}: the time axis is not regular at line {at}; wanted steps of {steps[0]:g} microseconds."
        )
    if not (table[:, 1] > 0).all():
        at = int(np.argmax(~(table[:, 1] > 0))) + 1
        raise InputError(f"{path}: the amplitude on line {at} is {table[at - 1, 1]:g}; wanted positive amplitudes.")
    level_db = 20.0 * np.log10(table[:, 1])
    return Stream(level_db, 1.0 / (steps[0] * _MICROSECONDS), "dB", table[0, 0] * _MICROSECONDS)
