"""From a stimulus to what it does to the cell: one short module for each kind of stimulus."""

from surrogate.encoders.waveform import WaveformEncoder

__all__ = ["WaveformEncoder"]
