"""The recording of the cell: what is fitted, what is scored, and the voltage with and without the electrode."""

import dataclasses
from pathlib import Path

import numpy as np

from biophys.calibrate import Target, target_of
from biophys.corrections import ElectrodeKernel, compensate, estimate_electrode_kernel
from experiments.gif_cell.settings import Settings
from twin.datasets import gif_pozzorini
from twin.errors import InputError
from twin.split import TimeSplit

SPIKE_MV = 0.0
ELECTRODE_TEST = "_electrode_test"
_SHORTEST_S = 0.5  # of a stretch that can be fitted or scored
_WARM_UP_S = 0.5  # of a test folder that does not go on where the data end
_JUMPS = 8.0  # more than so many usual steps of the current between the last and the first sample is no continuation


@dataclasses.dataclass(frozen=True, eq=False)
class Cell:
    """What the models are fitted to and scored on.

    Attributes:
        raw: current, recorded voltage and spikes from the first sample on; the model always runs from there.
        corrected: the same with the electrode taken out of the voltage.
        kernel: of the electrode.
        split: the stretches that are fitted and chosen on.
        scored_s: the stretch that is scored.
        history: how the scored stretch follows the fitted one.
        fitted: the recording of --data; `raw` goes on with that of --test, or is that alone.
        fitted_corrected: its voltage without the electrode.
    """

    raw: Target
    corrected: Target
    kernel: ElectrodeKernel
    split: TimeSplit
    scored_s: tuple[float, float]
    history: str
    fitted: Target
    fitted_corrected: Target

    def part(self, stretch: tuple[float, float], corrected: bool = True) -> Target:
        """The repeats of the fitted recording, of which a stretch is compared."""
        whole = self.fitted_corrected if corrected else self.fitted
        return whole.part(start_s=stretch[0], stop_s=stretch[1])

    def merged(self, stretch: tuple[float, float]) -> Target:
        """The mean current and all trains of the fitted recording."""
        return self.fitted.merged(["frozen"] * len(self.fitted.sweeps)).part(start_s=stretch[0], stop_s=stretch[1])

    @property
    def whole_fit(self) -> tuple[float, float]:
        """All that may be fitted."""
        return self.split.start_s, self.split.stop_s


def load(data: Path, test: Path | None, settings: Settings) -> Cell:
    """Read the folders.

    Raises:
        InputError: a folder has not one cell with its electrode test, or is too short.
    """
    raw, kernel = _read(data)
    if test is None:
        stop_s = round(settings.fitted_share * raw.duration_s, 3)
        return _cell(
            raw, raw, kernel, stop_s, (stop_s, raw.duration_s), "the scored stretch follows the fitted one", settings
        )
    other = _read_repeats(test)[1]
    if not np.isclose(other.dt_s, raw.dt_s):
        raise InputError(f"{test}: is sampled every {1e3 * other.dt_s:g} ms, and {data} every {1e3 * raw.dt_s:g} ms.")
    if _goes_on(raw, other):
        joined = _joined(raw, other)
        told = "the test folder goes on where the data end: models run from the data's first sample"
        return _cell(joined, raw, kernel, raw.duration_s, (raw.duration_s, joined.duration_s), told, settings)
    told = f"the test folder does not go on where the data end: its first {_WARM_UP_S:g} s are not scored"
    return _cell(other, raw, kernel, raw.duration_s, (_WARM_UP_S, other.duration_s), told, settings)


def _cell(
    raw: Target,
    fitted: Target,
    kernel: ElectrodeKernel,
    stop_s: float,
    scored_s: tuple[float, float],
    history: str,
    settings: Settings,
) -> Cell:
    # whole milliseconds: the history GLM counts in those
    validation_s = round((1 - settings.validation_share) * stop_s, 3)
    if min(validation_s, scored_s[1] - scored_s[0]) < _SHORTEST_S:
        raise InputError(
            f"{raw.name}: {stop_s:g} s to fit and {scored_s[1] - scored_s[0]:g} s to score; wanted {_SHORTEST_S:g} "
            "s or more of each."
        )
    split = TimeSplit(0.0, validation_s, stop_s)
    return Cell(
        raw,
        _compensated(raw, kernel),
        kernel,
        split,
        scored_s,
        history,
        fitted,
        _compensated(fitted, kernel),
    )


def _read(folder: Path) -> tuple[Target, ElectrodeKernel]:
    recordings, repeats = _read_repeats(folder)
    tests = [name for name in recordings if name.endswith(ELECTRODE_TEST)]
    if len(tests) != 1:
        raise InputError(f"{folder}: has {len(tests)} electrode tests; wanted one, as arrays aec_V_volt and aec_I_amp.")
    test = target_of(recordings[tests[0]](), spike_threshold_mv=SPIKE_MV)
    assert test.voltage_mv is not None
    kernel = estimate_electrode_kernel(test.voltage_mv[0], test.current_na[0], 1e3 * test.dt_s, bridge_balanced=True)
    if not np.isclose(test.dt_s, repeats.dt_s):
        raise InputError(f"{folder}: the electrode test has another sampling than the repeats.")
    return repeats, kernel


def _read_repeats(folder: Path) -> tuple[dict, Target]:
    recordings = gif_pozzorini.load(folder)
    cells = [name for name in recordings if not name.endswith(ELECTRODE_TEST)]
    if len(cells) != 1:
        raise InputError(f"{folder}: has {len(cells)} cells ({', '.join(cells) or 'none'}); wanted one .npz file.")
    target = target_of(recordings[cells[0]](), spike_threshold_mv=SPIKE_MV)
    if len(target.sweeps) < 2:
        raise InputError(f"{folder}: has one repeat; reliability needs two or more of the same current.")
    return dict(recordings), target


def _compensated(target: Target, kernel: ElectrodeKernel) -> Target:
    assert target.voltage_mv is not None
    return dataclasses.replace(target, voltage_mv=compensate(target.voltage_mv, target.current_na, kernel.kernel_mohm))


def _goes_on(first: Target, second: Target) -> bool:
    """Whether the current of every repeat goes on from one recording to the other without a jump."""
    if len(first.sweeps) != len(second.sweeps):
        return False
    usual = float(np.median(np.abs(np.diff(first.current_na, axis=1))))
    return bool(np.median(np.abs(second.current_na[:, 0] - first.current_na[:, -1])) <= _JUMPS * usual)


def _joined(first: Target, second: Target) -> Target:
    assert first.voltage_mv is not None and second.voltage_mv is not None
    assert first.spike_times_s is not None
    voltage = np.concatenate([first.voltage_mv, second.voltage_mv], axis=1)
    current = np.concatenate([first.current_na, second.current_na], axis=1)
    above = voltage >= SPIKE_MV  # again, because a spike may cross where the two meet
    trains = tuple((np.flatnonzero(~row[:-1] & row[1:]) * first.dt_s,) for row in above)
    return dataclasses.replace(
        first,
        current_na=current,
        voltage_mv=voltage,
        spike_times_s=trains,
        scored_s=(0.0, current.shape[1] * first.dt_s),
    )
