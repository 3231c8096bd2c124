"""The recording: an `xarray.DataTree` with one group for each kind of signal, stored as zarr v3.

Build one with `from_spikes`, `from_counts`, `from_voltage` or `from_fluorescence`, `join` several signals of the same
preparation, `write` it, `open` it. `twin.recording.schema` says what each group holds.
"""

from twin.recording.access import (
    between,
    first_trials,
    loaded,
    protocol_of,
    span,
    spike_times,
    stimulus_of,
    stream_names,
    stream_of,
    sweep_sets,
    with_protocol,
)
from twin.recording.build import (
    Sweeps,
    UnitTable,
    from_counts,
    from_fluorescence,
    from_spikes,
    from_sweeps,
    from_voltage,
    join,
)
from twin.recording.schema import SCHEMA_VERSION, SIGNALS
from twin.recording.store import open, write
from twin.recording.streams import Stream
from twin.recording.supplement import with_protocol_file
from twin.recording.validation import validate

__all__ = [
    "SCHEMA_VERSION",
    "SIGNALS",
    "Stream",
    "Sweeps",
    "UnitTable",
    "between",
    "first_trials",
    "from_counts",
    "from_fluorescence",
    "from_spikes",
    "from_sweeps",
    "from_voltage",
    "join",
    "loaded",
    "open",
    "protocol_of",
    "span",
    "spike_times",
    "stimulus_of",
    "stream_names",
    "stream_of",
    "sweep_sets",
    "validate",
    "with_protocol",
    "with_protocol_file",
    "write",
]
