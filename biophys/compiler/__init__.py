"""Brian2 networks as pure JAX programs.

```
walk             the network in Brian2's order of execution; one builder for each kind of object
├── refusals     what cannot be compiled, why, and the way out
├── names        reads Brian2's names: constants, parameters, states, tables
├── integrators  a method is one short function, generic over the equations
└── events       thresholds, resets, refractoriness
program          the result: init, step, run
├── arguments    what a caller hands in, checked and fitted
├── scope        where the names of one group's equations find their arrays
├── expressions  the text of an expression, rendered for JAX; how it depends on one variable
└── functions    Brian2's standard functions on JAX arrays
```
"""

from biophys.compiler.program import Program
from biophys.compiler.walk import compile_network

__all__ = ["Program", "compile_network"]
