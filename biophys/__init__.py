"""Biophysics: Brian2 circuits, compiled to JAX; Brian2 lives in this package and nowhere else."""

from biophys.compiler import Program, compile_network

__all__ = ["Program", "compile_network"]
