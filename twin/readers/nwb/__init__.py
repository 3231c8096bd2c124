"""Neurodata Without Borders (.nwb on HDF5): sweeps, units, fluorescence, stimuli, light, behaviour and intervals."""

from twin.readers.nwb.file import FORMAT, accepts, read

__all__ = ["FORMAT", "accepts", "read"]
