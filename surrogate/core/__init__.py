"""Dynamics that all sessions share: a new kind is a file here and a line in `named`.

A core takes (item, time, width) and its state, and gives the same shape and the state after the last window, so that
a recording in one go, in pieces, or one window at a time is the same computation.
"""

from surrogate.core.named import core_of
from surrogate.core.recurrent import RecurrentCore
from surrogate.core.transformer import TransformerCore

__all__ = ["RecurrentCore", "TransformerCore", "core_of"]
