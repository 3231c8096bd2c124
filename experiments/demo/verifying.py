"""L0: the same windows, the same noise, run by the compiled program and by Brian2 itself."""

import dataclasses
from typing import Any

import numpy as np

from twin import recording
from twin.coupling import Twin
from twin.judge import Claim
from twin.recording import Stream


@dataclasses.dataclass(frozen=True)
class Agreement:
    """What two engines made of one trial.

    Attributes:
        name: what was run.
        compiled_s: spike times of the compiled program, s.
        brian2_s: spike times of Brian2, s.
    """

    name: str
    compiled_s: np.ndarray
    brian2_s: np.ndarray

    @property
    def differing(self) -> int:
        """Spikes that only one of the two has, to a microsecond."""
        compiled, brian2 = ({round(1e6 * time) for time in times} for times in (self.compiled_s, self.brian2_s))
        return len(compiled ^ brian2)

    def claim(self) -> Claim:
        """That the two engines give the same spikes."""
        verdict = "fail" if self.differing or not len(self.brian2_s) else "pass"
        spikes = f"{len(self.compiled_s)} spikes compiled, {len(self.brian2_s)} by Brian2, {self.differing} in one only"
        name, same = f"{self.name}_same_spikes_as_brian2", "same equations, stimulus and noise"
        return Claim(
            "L0", name, verdict, float(self.differing), None, None, len(self.brian2_s), "trial", same, 0.0, spikes
        )


def agree(name: str, twin: Twin, sound: Stream, key: Any) -> Agreement:
    """Run one trial with both engines."""
    runs = [recording.spike_times(twin.rollout(sound, key=key, engine=engine))[0] for engine in ("jax", "brian2")]
    return Agreement(name, *runs)
