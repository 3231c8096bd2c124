"""Whether Brian2 alone does what the fit says: the written script is run, and its voltages are compared."""

import dataclasses
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from biophys.calibrate import Fit
from biophys.calibrate.script import STIMULUS
from biophys.calibrate.store import SCRIPT
from experiments.calibration.responses import Responses

MARGIN_MV = 0.05
MOST_STEPS = 20_000
MOST_SWEEPS = 20
_TIMEOUT_S = 300


@dataclasses.dataclass(frozen=True)
class Verified:
    """The comparison.

    Attributes:
        largest_mv: the 99.9th percentile of the absolute difference of voltages; None where nothing was compared.
        agrees: whether that is within the margin.
        n_sweeps: that were run.
        margin_mv: see `MARGIN_MV`.
        reason: in words.
    """

    largest_mv: float | None
    agrees: bool
    n_sweeps: int
    margin_mv: float
    reason: str


def verify(fit: Fit, free: Responses) -> Verified:
    """Run the script of a fit on the first part of the fitted sweeps, in a process of its own."""
    if "rand()" in fit.model.equations + fit.model.threshold or "xi" in fit.model.equations.split():
        return Verified(None, False, 0, MARGIN_MV, "the model is random, and Brian2 draws other numbers")
    current = fit.current_na[:MOST_SWEEPS, :MOST_STEPS]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        np.save(place / STIMULUS, current)
        (place / SCRIPT).write_text(fit.brian2_script(), encoding="utf-8")
        try:
            ran = subprocess.run(
                [sys.executable, SCRIPT], cwd=place, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return Verified(None, False, 0, MARGIN_MV, f"Brian2 took more than {_TIMEOUT_S} s")
        if ran.returncode:
            last = (ran.stderr.strip().splitlines() or ["without a word"])[-1]
            return Verified(None, False, 0, MARGIN_MV, f"the script ended with {ran.returncode}: {last}")
        voltage = np.load(place / "voltage.npy")
    difference = np.abs(voltage - free.voltage_mv[: len(current), 0, : current.shape[1]])
    largest = float(np.quantile(difference, 0.999))
    told = (
        f"{len(current)} sweeps, {current.shape[1] * fit.dt_s:g} s of each; 99.9 % of samples within {largest:.2g} mV"
    )
    return Verified(largest, largest <= MARGIN_MV, len(current), MARGIN_MV, told)
