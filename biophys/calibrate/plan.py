"""What of a calibration is the same for every cell: losses, as a pure function of positions and the target's arrays."""

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np

from biophys.calibrate.objectives.objective import Likelihood, Objective, Weighted, named
from biophys.calibrate.observer import Observer
from biophys.calibrate.simulation import Simulator, Tapes
from biophys.calibrate.space import Number, Space
from biophys.compiler import fast_sigmoid
from biophys.models.model import NeuronModel
from biophys.observation import UNITS as OBSERVED
from twin.errors import InputError


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """Everything but the data. Plans that say the same are equal, so that many cells compile once.

    Attributes:
        model: whose parameters are free.
        space: which.
        objective: how far a response is from the recorded one.
        fixed: parameter -> value in its unit, for those that are not free; the model's own otherwise.
        observer: what the amplifier shows.
        dt_s: step of the model, s.
        settle_s: how long the first current is held before the first sample, s.
        dtype: of the simulation.
        spike_width_mv: width of the derivative of a spike (`biophys.fast_sigmoid`), mV; None for none.
        is_posterior: whether the loss is a negative log posterior also where nothing has a prior.
    """

    model: NeuronModel
    space: Space
    objective: Weighted
    fixed: Mapping[str, Number]
    observer: Observer
    dt_s: float
    settle_s: float = 0.0
    dtype: Any = np.float32
    spike_width_mv: float | None = None
    is_posterior: bool = False

    def __post_init__(self) -> None:
        for name in self.fixed:
            if name not in OBSERVED:
                self.model.parameter(name)
        both = sorted(self.fixed.keys() & set(self.space.names))
        if both:
            raise InputError(f"{', '.join(both)} is both fixed and free; name it once.")
        if self.settle_s < 0:
            raise InputError(f"settle_s is {self.settle_s:g} s; wanted 0 or more.")
        self.observer.require_step(self.dt_s)
        wrong = [named(one) for one in self.terms if not isinstance(one, Likelihood)]
        if self.in_nats and wrong:
            what = "intervals need" if self.is_posterior else "a prior is weighed against"
            raise InputError(
                f"{what} a likelihood, and {', '.join(wrong)} is none: use TraceError or PointProcess alone, or do "
                "without priors and intervals."
            )

    @cached_property
    def text(self) -> str:
        """All that it says, in words that are the same in every process."""
        model = self.model
        values = [(one.name, one.value, one.scale) for one in model.parameters]
        equations = (model.equations, model.threshold, model.reset, str(model.refractory), model.method)
        names = (model.inputs, sorted(model.initial.items()), model.voltage, model.current)
        own = (self.space, self.objective, sorted(self.fixed.items()), self.observer, self.dt_s, self.settle_s)
        rest = (np.dtype(self.dtype).name, self.spike_width_mv, self.is_posterior)
        return repr((equations, values, names, own, rest))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def terms(self) -> tuple[Objective, ...]:
        """The objectives."""
        return tuple(term.objective for term in self.objective.terms)

    @property
    def in_nats(self) -> bool:
        """Whether the loss is a negative log posterior: asked for, or because something has a prior."""
        return self.is_posterior or any(free.prior is not None for free in self.space.free)

    @property
    def settle_steps(self) -> int:
        """Steps before the first sample."""
        return round(self.settle_s / self.dt_s)

    def using(self, forced: bool) -> tuple[int, ...]:
        """Which terms look at forced spikes, or at free ones."""
        return tuple(i for i, objective in enumerate(self.terms) if objective.forced is forced)

    def simulator(self, n: int, forced: bool) -> Simulator:
        """The model for n parameter sets.

        Raises:
            InputError: two objectives name different hazards.
        """
        hazards = {getattr(one, "hazard", None) for one in self.terms if one.forced is forced} - {None}
        if len(hazards) > 1:
            raise InputError(f"several hazards were named: {', '.join(sorted(map(str, hazards)))}; name one.")
        return Simulator(
            model=self.model,
            dt_s=self.dt_s,
            n=n,
            dtype=self.dtype,
            forced=forced,
            hazard=hazards.pop() if hazards else None,
            observer=self.observer,
            settle_steps=self.settle_steps,
            spike_gradient=None if self.spike_width_mv is None else fast_sigmoid(1e-3 * self.spike_width_mv),
        )

    @cached_property
    def is_random(self) -> bool:
        """Whether the same parameter set scores differently with another key: free spikes of a model with noise."""
        return bool(self.using(False)) and self.simulator(1, False).program.is_random

    def losses(self, positions: Any, tapes: Mapping[bool, Tapes], key: Any, checkpoint: bool = False) -> tuple:
        """Losses (n,) and terms (n, term) of positions (n, free); pure, for `jax.jit`, `jax.grad` and friends.

        Args:
            positions: in the unit cube.
            tapes: of the target, for forced and free spikes.
            key: for a model with noise.
            checkpoint: see `Simulator.run`.
        """
        positions = jnp.asarray(positions, self.dtype)
        n = positions.shape[0]
        values = {name: jnp.full(n, value, self.dtype) for name, value in self.fixed.items() if name not in OBSERVED}
        values |= self.space.values(positions)
        terms: dict[int, Any] = {}
        surprises: dict[int, Any] = {}
        finite = jnp.ones(n, bool)
        for forced, one in tapes.items():
            used = self.using(forced)
            simulator = self._simulators.setdefault((n, forced), self.simulator(n, forced))
            carries, ok = simulator.run(values, one, tuple(self.terms[i] for i in used), key, checkpoint)
            finite &= ok
            for i, carry, facts in zip(used, carries, one.facts, strict=True):
                terms[i] = self.terms[i].loss(carry, facts)
                if self.in_nats:
                    surprises[i] = self.terms[i].surprise(carry, facts)  # type: ignore[attr-defined]
        if self.in_nats:  # probabilities multiply; weights are for losses in different units
            total = sum(surprises.values()) + self.space.penalty(positions)
        else:
            total = sum(self.objective.terms[i].weight * terms[i] for i in sorted(terms))
        total = jnp.where(finite & jnp.isfinite(total), total, jnp.nan)
        return total, jnp.stack([terms[i] for i in sorted(terms)], axis=-1)

    @cached_property
    def _simulators(self) -> dict[tuple[int, bool], Simulator]:
        return {}
