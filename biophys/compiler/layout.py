"""The arrays of a program: each of Brian2's variables that the network uses, once, under one name.

Brian2's references (linked variables, subgroups, what a synapse sees of its neurons) share the variable that they refer
to, and so they share its array here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from brian2.core.variables import ArrayVariable
from brian2.units.fundamentalunits import DIMENSIONLESS, get_unit

from biophys.compiler.scope import Role, Variable
from twin.errors import InputError

NEVER_STEP = -(2**30)  # the step of the last spike of a neuron that has not spiked
NEVER_S = -1e4  # the same in Brian2's `lastspike`, seconds
# Brian2's times that are kept as whole steps, so that a difference of two of them is exact in float32 too
STEP_COUNTED = {"lastspike": "lastspike_step", "lastupdate": "lastupdate_step"}


class Layout:
    """The arrays of one program. Filled while the network is read.

    Args:
        dtype: of every number that is not whole.
        inputs: keys of the variables that are supplied at every step.
        spike_gradient: the derivative of events; of all, or by key.
        longest_delay_s: of synapses; 0 for no longer than they have.
        now_s: the network's time.
    """

    def __init__(
        self,
        dtype: np.dtype,
        inputs: Sequence[str] = (),
        spike_gradient: Any = None,
        longest_delay_s: float = 0.0,
        now_s: float = 0.0,
    ):
        self.dtype, self.inputs, self.now_s = dtype, tuple(inputs), now_s
        self._spike_gradient, self._longest_delay_s = spike_gradient, longest_delay_s
        self.derivations: list[Any] = []  # what of the structure follows from parameters
        self.histories: list[Callable[[Mapping[str, Any], float], None]] = []  # who keeps the spikes under way
        self.limits: dict[str, float] = {}  # the largest value that a parameter may be given
        self.marks: list[Any] = []  # what is folded into the program beside the names' meanings
        self.variables: dict[str, Variable] = {}
        self.sources: dict[str, ArrayVariable] = {}  # key -> Brian2's own variable, where there is one
        self._keys: dict[int, str] = {}

    def place(self, variable: ArrayVariable, key: str | None = None, role: Role | None = None) -> str:
        """The key of a variable, which is entered at first sight.

        Args:
            variable: Brian2's.
            key: its name in the program, where "owner.name" is not unique.
            role: where the variable does not tell by itself.

        Raises:
            InputError: two variables would have one name.
        """
        if id(variable) in self._keys:
            return self._keys[id(variable)]
        if variable.name in STEP_COUNTED:
            return self._place_step_counter(variable)
        key = key or f"{variable.owner.name}.{variable.name}"
        # a copy: Brian2 goes on writing to its own array when it runs
        value = np.array(variable.get_value(), _kept_dtype(variable, self.dtype))
        value = value.reshape(() if variable.scalar else (-1,))
        role = role or ("structure" if variable.read_only or variable.name == "not_refractory" else "parameter")
        self._enter(variable, Variable(key, unit_name(variable.dim), value, role))
        return key

    def gradient_of(self, event: str) -> Callable[[Any], Any] | None:
        """The derivative of an event, by its key; None for an event without."""
        chosen = self._spike_gradient
        return chosen.get(event) if isinstance(chosen, Mapping) else chosen

    def longest_delay(self, dt_s: float) -> int:
        """For how many steps of delay room was asked for."""
        return round(self._longest_delay_s / dt_s)

    def write_back(self, values: Mapping[str, Any], end_s: float) -> None:
        """Gives Brian2 its variables' values at the end of a run."""
        for keep in self.histories:
            keep(values, end_s)
        for key, value in values.items():
            if key in self.sources:
                _restore(self.sources[key], np.asarray(value))

    def add(self, variable: Variable) -> str:
        """Enters an array that is none of Brian2's; one that is there already stays."""
        self.variables.setdefault(variable.key, variable)
        return variable.key

    def _place_step_counter(self, variable: ArrayVariable) -> str:
        """Brian2's time of the last spike or update as the first step at or after it."""
        owner, name = variable.owner, STEP_COUNTED[variable.name]
        if name in owner.variables:
            raise InputError(f"'{owner.name}' has a variable `{name}`, a reserved name; rename it.")
        last_s, dt_s = np.asarray(variable.get_value(), float), float(owner.clock.dt_)
        steps = np.where(last_s <= NEVER_S, NEVER_STEP, np.ceil(last_s / dt_s - 1e-3)).astype(np.int32)
        key = f"{owner.name}.{name}"
        self._enter(variable, Variable(key, "1", steps, "state"))
        return key

    def _enter(self, variable: ArrayVariable, entry: Variable) -> None:
        if entry.key in self.variables:
            raise InputError(f"The network has several objects with a variable '{entry.key}'; give each its own name.")
        self.variables[entry.key] = entry
        self.sources[entry.key] = variable
        self._keys[id(variable)] = entry.key


def _restore(variable: ArrayVariable, value: np.ndarray) -> None:
    if variable.name in STEP_COUNTED:
        dt_s, old = float(variable.owner.clock.dt_), np.asarray(variable.get_value(), float)
        same = np.where(old <= NEVER_S, NEVER_STEP, np.ceil(old / dt_s - 1e-3)) == value
        value = np.where(same, old, value * dt_s)
    variable.set_value(value)


def _kept_dtype(variable: ArrayVariable, dtype: np.dtype) -> np.dtype:
    if variable.is_boolean:
        return np.dtype(bool)
    return np.dtype(np.int32) if variable.is_integer else dtype


def unit_name(dimensions: Any) -> str:
    """The SI unit of Brian2 dimensions: "V", "S/(m^2)"; "1" for a pure number."""
    return "1" if dimensions is DIMENSIONLESS else str(get_unit(dimensions))
