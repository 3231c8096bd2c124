"""Igor binary waves (.ibw): one wave, or several that belong together, such as the voltage and current of a sweep."""

from twin.readers.igor.file import FORMAT, accepts, read

__all__ = ["FORMAT", "accepts", "read"]
