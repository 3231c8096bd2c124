"""From a stimulus or behaviour to features: one short file for each kind; a new kind is a file here.

A waveform at the pace of single spikes has its own encoder in `surrogate.single.waveform`; slower ones are streams.
"""

from surrogate.encoders.stream import StreamEncoder
from surrogate.encoders.video import VideoEncoder

__all__ = ["StreamEncoder", "VideoEncoder"]
