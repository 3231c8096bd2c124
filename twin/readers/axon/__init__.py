"""Axon binary files (.abf), versions 1 and 2: sweeps, the clamp they were recorded in, and the command."""

from twin.readers.axon.file import FORMAT, accepts, read

__all__ = ["FORMAT", "accepts", "read"]
