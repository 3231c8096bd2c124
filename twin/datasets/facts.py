"""Facts of a protocol, written short: each with its source, in the unit of `twin.protocol.KNOWN`."""

import math
from collections.abc import Mapping

import xarray as xr

from twin import provenance, recording
from twin.protocol import KNOWN, Covariate, Value

Fact = Value | tuple[float, str]


def reported(source: str, **facts: Fact) -> dict[str, Covariate]:
    """Covariates that `source` states; a pair is a number and its unit, where the covariate is not a known one."""
    return {name: _covariate(name, fact, source) for name, fact in facts.items() if fact is not None}


def _covariate(name: str, fact: Fact, source: str) -> Covariate:
    value, unit = fact if isinstance(fact, tuple) else (fact, KNOWN.get(name, ("1", ""))[0])
    return Covariate(value, unit, "reported", source)


def middle_of(low: float, high: float, unit: str, source: str) -> Covariate:
    """A range that somebody stated, as its middle and the standard deviation of a uniform distribution over it.

    Example: 2.5 to 4 MOhm is 3.25 with an uncertainty of 0.43 MOhm.
    """
    spread = (high - low) / math.sqrt(12.0)
    return Covariate(
        (low + high) / 2.0, unit, "computed", f"middle of the range in {source}", f"{low:g}-{high:g} {unit}", spread
    )


def with_facts(tree: xr.DataTree, facts: Mapping[str, Covariate], source: str) -> xr.DataTree:
    """The recording with what is known of the set beyond its file; a stated fact replaces that of the file."""
    changed = recording.with_protocol(tree, recording.protocol_of(tree).updated(facts))
    return provenance.log(
        changed, "add what the data set states", parameters={"source": source, "covariates": sorted(facts)}
    )
