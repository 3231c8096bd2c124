"""What was read from the stores, up to a number of bytes; the least recently used goes first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Cache(Generic[Value]):
    """Values by key whose sizes add up to `budget` bytes at the most, but for one value that is larger by itself.

    Args:
        budget: bytes.
        size_of: bytes of a value.
    """

    def __init__(self, budget: int, size_of: Callable[[Value], int]) -> None:
        self.budget, self.held, self._size_of = budget, 0, size_of
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, read: Callable[[], Value]) -> Value:
        """The value of `key`, read where it is not held."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
            value = read()
            size = self._size_of(value)
            while self._values and self.held + size > self.budget:
                self.held -= self._values.popitem(last=False)[1][1]
            self._values[key] = (value, size)
            self.held += size
            return value
