"""Brian2 lives here and nowhere else: mechanism, its calibration, and its compilation to JAX.

Importing it also makes `brian2.set_device("jax")` known.
"""

from biophys.compiler import JaxDevice, Program, compile_network, fast_sigmoid, gaussian, triangle

__all__ = ["JaxDevice", "Program", "compile_network", "fast_sigmoid", "gaussian", "triangle"]
