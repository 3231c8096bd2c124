"""Brian2 networks as pure JAX programs.

```
walk               the network in Brian2's order of execution; one builder for each kind of object
├── refusals       what cannot be compiled, why, and the way out
├── clocks         several clocks, one step
├── integrators    a method is one short function, generic over the equations
├── events         thresholds, resets, refractoriness
│   └── spike_gradients  slopes for a step
├── synapses       what a spike does when it arrives; sums over synapses
│   └── delivery   finding the synapses whose spike arrives now
├── sources        given spikes
├── spatial        the voltage of a neuron with dendrites
│   └── cable      one implicit step on a tree of compartments
└── blocks         statements, in order
program            the result: init, step, run
├── compilation    how JAX compiles the loops over time
└── arguments      what a caller hands in, checked and fitted
layout             the arrays of a program: each of Brian2's variables, once
names              reads Brian2's names: constants, arrays, tables, functions
├── calls          names that are called: tables over time, random numbers
└── user_functions a JAX form for a Python function
scope              where the names of one group's equations find their arrays
├── expressions    the text of an expression, rendered for JAX; how it depends on one variable
└── functions      Brian2's standard functions on JAX arrays
    └── exponential  those that a CPU evaluates many at a time
device             `brian2.set_device("jax")`: an unchanged script with a compiled run loop
├── monitors       what Brian2's monitors look at
├── queues         spikes under way between two runs
└── profile        what takes how much of the time
```
"""

from biophys.compiler.device import JaxDevice
from biophys.compiler.program import Program
from biophys.compiler.spike_gradients import fast_sigmoid, gaussian, triangle
from biophys.compiler.walk import compile_network

__all__ = ["JaxDevice", "Program", "compile_network", "fast_sigmoid", "gaussian", "triangle"]
