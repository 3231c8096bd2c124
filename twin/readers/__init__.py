"""From files to recordings: one short module for each format, with `FORMAT`, `accepts(paths)` and `read(paths)`."""

from twin.readers.choice import READERS, read

__all__ = ["READERS", "read"]
