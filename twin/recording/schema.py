"""What the groups of a recording hold.

| group | variables |
|---|---|
| `/` | attributes `schema_version`, `name`, `provenance` (a list of steps) |
| `/spikes` | `spike_time`, `trial_index`, `unit_index (spike)`, `trial_start`, `trial_stop (trial)`; times in s |
| `/counts` | `count (trial, time, unit)` spikes in bins that start at `time` s and last the attribute `bin_s` |
| `/voltage` | `voltage` mV and `current` nA `(sweep, time)`, with the attribute `clamp` |
| `/fluorescence` | `fluorescence (trial, time, unit)`, with the attribute `sampling_hz` where it is regular |
| `/trials` | what differs from trial to trial: any variable `(trial)` |
| `/stimulus/NAME`, `/behaviour/NAME`, `/interventions/NAME` | `value`, a `Stream` |
| `/protocol` | attributes: one covariate each, see `twin.protocol` |

Times are seconds, voltages mV, currents nA; a reader converts, once. Every variable has the attribute `units`.
Real recordings and those that a model generates have the same shape, so that every comparison is symmetric.

**Clamp.** In current clamp ("current") the voltage was measured and the current injected; with "zero" no current was
injected; in voltage clamp ("voltage") the current was measured and the voltage commanded. What was measured is always
there, what was imposed only where the source has it. Outward (positive) membrane current and depolarising injected
current are both positive, as amplifiers write them.

**Several kinds of sweeps.** Sweeps that differ in clamp, length or sampling lie in `/voltage/NAME`, one group each.

**Time.** A regular axis is stored as the attributes `sampling_hz` and `start_s`; `open` adds the coordinate `time`.

**Units of a population** may have further coordinates along `unit`, such as `x` in um.
"""

SCHEMA_VERSION = "2"
SIGNALS = ("spikes", "counts", "voltage", "fluorescence")
STREAM_ROLES = ("stimulus", "behaviour", "interventions")
CLAMPS = ("current", "zero", "voltage")
MEASURED = {"current": "voltage", "zero": "voltage", "voltage": "current"}

# Required variables: units (None: any that are stated) and dimensions.
VARIABLES: dict[str, dict[str, tuple[str | None, tuple[str, ...]]]] = {
    "spikes": {
        "spike_time": ("s", ("spike",)),
        "trial_index": ("1", ("spike",)),
        "unit_index": ("1", ("spike",)),
        "trial_start": ("s", ("trial",)),
        "trial_stop": ("s", ("trial",)),
    },
    "counts": {"count": ("1", ("trial", "time", "unit"))},
    "voltage": {"voltage": ("mV", ("sweep", "time")), "current": ("nA", ("sweep", "time"))},
    "fluorescence": {"fluorescence": (None, ("trial", "time", "unit"))},
}
