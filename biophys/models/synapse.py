"""What a published synapse model states about itself, and how it becomes Brian2 synapses."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import brian2

from biophys.models.group import set_values
from biophys.models.model import Parameter, Parametrised
from twin.errors import InputError
from twin.protocol import Protocol


@dataclasses.dataclass(frozen=True, kw_only=True)
class SynapseModel(Parametrised):
    """A synapse model as data.

    Attributes:
        name: in the library.
        title: what it is, in one line.
        equations: Brian2 text of one synapse, in which `{current}` stands for the postsynaptic current that all
            synapses of the group add up to, and `{voltage}` for the postsynaptic membrane potential.
        source: publications.
        on_pre: Brian2 statements when a presynaptic spike arrives.
        on_post: Brian2 statements after a postsynaptic spike, "" for none.
        parameters: all of them; those that are the same for all synapses of a group are shared in the text.
        initial: state variable -> Brian2 expression of its initial value; 0 for those that are not there.
        method: Brian2 integration method.
        measured: protocol of the recordings behind it; what is not given is unreported.
    """

    name: str
    title: str
    equations: str
    source: str
    on_pre: str
    on_post: str = ""
    parameters: tuple[Parameter, ...] = ()
    initial: Mapping[str, str] = dataclasses.field(default_factory=dict)
    method: str = "exponential_euler"
    measured: Protocol = dataclasses.field(default_factory=Protocol)


def synapses(
    model: SynapseModel,
    source: Any,
    target: Any,
    values: Mapping[str, Any] | None = None,
    *,
    current: str,
    voltage: str = "v",
    connect: Mapping[str, Any] | None = None,
    delay: brian2.Quantity | None = None,
    dt: brian2.Quantity | None = None,
    name: str | None = None,
) -> brian2.Synapses:
    """Connected Brian2 synapses of a model, with values set.

    Args:
        model: of the library.
        source: group of Brian2 whose spikes arrive.
        target: group of Brian2 with the parameter `current` (amp) for these synapses alone, as `with_currents` adds it.
        values: parameter -> value in the model's units, a number or, if it is not shared, one for each synapse.
        current: the parameter of the target that the synapses add up to; positive depolarises.
        voltage: membrane potential of the target.
        connect: arguments of Brian2's `connect`, such as {"i": [0, 1], "j": [3, 3]} or {"p": 0.1}; all to all if it is
            not given.
        delay: from spike to arrival, the same for all; none if it is not given.
        dt: time step; the target's if it is not given.
        name: of the synapses; the model's, with a number where that is taken, if it is not given.

    Raises:
        InputError: the target has no such current or voltage, or a value is for no parameter of the model.
    """
    for variable in (current, voltage):
        if variable not in target.variables:
            raise InputError(
                f"{target.name} has no variable {variable!r} for the synapse {model.name}; add a current by "
                "with_currents(model, ...), and name the membrane potential as `voltage`."
            )
    made = brian2.Synapses(
        source,
        target,
        model.equations.format(current=current, voltage=voltage),
        on_pre=model.on_pre,
        on_post=model.on_post or None,
        delay=delay,
        method=model.method,
        dt=target.clock.dt if dt is None else dt,
        name=f"{model.name}*" if name is None else name,
        namespace={},
    )
    made.connect(**(connect or {}))
    set_values(made, model, {**{one.name: one.value for one in model.parameters}, **(values or {})})
    for state, expression in model.initial.items():
        setattr(made, state, expression)
    return made
