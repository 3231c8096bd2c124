"""The same network run by Brian2 and as a compiled program, for every test that compares the two."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from brian2 import EventMonitor, Network, StateMonitor

from biophys import Program, compile_network

BEFORE_ALL = -1000  # the order of a monitor that looks before anything in its slot happens, as the program does


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What the program and Brian2 said.

    Attributes:
        program: what was compared.
        said: by the program, at the times at which Brian2's monitor looked: "cell.v" -> (time, n).
        expected: by Brian2; the same names and shapes.
    """

    program: Program
    said: dict[str, np.ndarray]
    expected: dict[str, np.ndarray]

    @property
    def n_events(self) -> int:
        """Brian2's events."""
        return sum(int(value.sum()) for value in self.expected.values() if value.dtype == bool)

    @property
    def wrong_events(self) -> int:
        """Events that one has and the other has not."""
        return sum(int((self.said[key] != value).sum()) for key, value in self.expected.items() if value.dtype == bool)

    @property
    def error(self) -> float:
        """The largest difference in any trace, relative to the largest value of that trace."""
        traces = {key: value for key, value in self.expected.items() if value.dtype != bool}
        return max(float(np.abs(self.said[key] - one).max() / np.abs(one).max()) for key, one in traces.items())


def _compare(
    network: Network,
    duration: Any,
    record: Sequence[str],
    namespace: Mapping[str, Any] | None = None,
    change: Callable[[Program], Program] = lambda program: program,
) -> Comparison:
    """Compiles a network, then runs both from where it is; `change` may plant a defect in the program."""
    names = dict(namespace or {})
    program = change(compile_network(network, names))
    _, out = program.run(duration, record=record)
    start = int(np.ceil(network.t_ / program.dt_s - 1e-4))
    expected, said = {}, {}
    monitors = {key: _monitor(network, program, key) for key in record}
    network.add(*monitors.values())
    network.run(duration, namespace=names)
    for key, monitor in monitors.items():
        steps = np.round(np.asarray(monitor.t_) / program.dt_s).astype(int) - start
        if key in program.event_names:
            said[key] = np.asarray(out[key])
            expected[key] = np.zeros_like(said[key])
            expected[key][steps, np.asarray(monitor.i)] = True
        else:
            said[key] = np.asarray(out[key])[steps]
            expected[key] = np.array(getattr(monitor, f"{key.partition('.')[2]}_")).T
        network.remove(monitor)
    return Comparison(program, said, expected)


def _monitor(network: Network, program: Program, key: str) -> Any:
    group, _, variable = key.partition(".")
    if key in program.event_names:
        return EventMonitor(network[group], variable)
    return StateMonitor(network[group], variable, record=True, order=BEFORE_ALL)


@pytest.fixture
def compare() -> Callable[..., Comparison]:
    """A function (network, duration, record, namespace) -> what the program and Brian2 said."""
    return _compare
