"""What a surrogate draws, as a recording like any other, which says how it was made and what is outside of training."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import xarray as xr

from surrogate.batches import Batch, Session
from surrogate.envelope import Outside
from twin import provenance, recording
from twin.errors import InputError


def as_recording(
    tree: xr.DataTree, session: Session, draws: np.ndarray, what: str, seed: int, outside: Sequence[Outside]
) -> xr.DataTree:
    """Draws (trial, time, unit) with the protocol of the recording that they stand beside.

    Counts and spikes give counts, fluorescence gives fluorescence. The log has one entry, with `outside` in words.
    """
    protocol, name = recording.protocol_of(tree), f"{session.name} (surrogate)"
    start_s, units = float(session.starts_s[0]), list(session.unit_ids)
    if session.signal.kind == "fluorescence":
        unit = tree["fluorescence"]["fluorescence"].attrs["units"]
        made = recording.from_fluorescence(
            draws, name=name, unit=unit, sampling_hz=1.0 / session.window_s, start_s=start_s, unit_ids=units,
            protocol=protocol,
        )  # fmt: skip
    else:
        made = recording.from_counts(
            draws, session.window_s, name=name, start_s=start_s, unit_ids=units, protocol=protocol
        )
    told = {"how": what, "seed": seed, "outside_of_training": [str(one) for one in outside]}
    return provenance.log(made, "generate", inputs={session.name: session.digest}, parameters=told)


def longer(batch: Batch, windows: Sequence[int], session: Session) -> Batch:
    """A batch in which windows beyond the recorded ones can be generated: they are no padding.

    Raises:
        InputError: they are wanted, and the session has streams, which nobody knows there.
    """
    length = batch.response.shape[1]
    if min(windows) == length or len(set(windows)) > 1:
        return batch
    if session.streams:
        names = ", ".join(name for _, name in session.streams)
        raise InputError(
            f"{session.name}: {length * session.window_s:g} s are wanted and its streams ({names}) last "
            f"{windows[0] * session.window_s:g} s; give a recording with longer streams."
        )

    def held(values: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [values[:, : windows[0]], np.repeat(values[:, windows[0] - 1 : windows[0]], length - windows[0], 1)], 1
        )

    return dataclasses.replace(
        batch, valid=held(batch.valid), stimulus=held(batch.stimulus), behaviour=held(batch.behaviour),
        drift=held(batch.drift),
    )  # fmt: skip
