"""The surrogate: what recordings predict about themselves, learned with Flax.

Flax lives in this package and nowhere else; the package knows `twin` and never meets the biophysics.
"""
