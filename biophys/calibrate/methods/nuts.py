"""Sampling a posterior by the no-U-turn sampler, all chains in one batch.

Each chain is a generator that asks for one slope at a time, so the chains advance together, every leapfrog step of all
of them is one simulated population, and a job that was killed goes on exactly where it was.
"""

import dataclasses
from collections.abc import Generator
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy.special import expit, logit

from biophys.calibrate.evaluator import Scores
from biophys.calibrate.methods.method import Ending, Search
from biophys.calibrate.space import Space
from twin.errors import InputError

_LARGEST_ERROR = 1000.0  # of the energy: beyond it the trajectory has diverged (Hoffman & Gelman 2014, section 3.1.1)
Chain: TypeAlias = Generator[np.ndarray, tuple[float, np.ndarray], None]


@dataclasses.dataclass(frozen=True)
class Drawn(Ending):
    """The end of a sampling.

    Attributes:
        draws: (chain, draw, free) positions, after the warm-up.
        divergences: trajectories after the warm-up whose energy was lost.
    """

    draws: np.ndarray
    divergences: int


class Point(NamedTuple):
    """A place, its momentum, its log density and the slope of that."""

    place: np.ndarray
    momentum: np.ndarray
    density: float
    slope: np.ndarray

    @property
    def energy(self) -> float:
        """Log density of place and momentum."""
        return self.density - 0.5 * float(self.momentum @ self.momentum)


class Tree(NamedTuple):
    """A stretch of a trajectory: its ends, a draw from it, how many draws it is worth, and how the steps went."""

    left: Point
    right: Point
    draw: Point
    size: int
    goes_on: bool
    acceptance: float
    steps: int


@dataclasses.dataclass(frozen=True)
class Nuts:
    """The no-U-turn sampler (Hoffman & Gelman 2014, J Mach Learn Res 15:1593, algorithm 6).

    It moves on the logit of the position, scaled by the curvature at the mode, so that the bounds are no walls and all
    directions are alike. The belief before the data is even in the unit cube.

    Attributes:
        mode: position to begin at.
        covariance: of positions there, (free, free).
        chains: how many.
        warmup: draws of each chain in which the step is adapted, and which are dropped.
        draws: of each chain that are wanted after that.
        depth: at most 2^depth steps for a draw.
        acceptance: wanted of a step.
    """

    mode: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    chains: int = 16
    warmup: int = 50
    draws: int = 200
    depth: int = 7
    acceptance: float = 0.8

    gradient = True

    def __post_init__(self) -> None:
        if self.chains < 2 or self.warmup < 1 or self.draws < 4:
            raise InputError(
                f"Nuts has {self.chains} chains of {self.draws} draws after {self.warmup}; wanted 2 chains or more, 4 "
                "draws or more, and a warm-up."
            )

    def size(self, space: Space) -> int:
        """All chains."""
        del space
        return self.chains

    def search(self, space: Space, seed: int, budget: int) -> Search:
        """See `Method`; ends with `Drawn`."""
        # Curvature on the logit scale: that of the posterior, and that of the even belief, without which a direction
        # would be as long as a bound is far away there. At a bound both vanish, so they are taken a little inside.
        mode = np.clip(np.array(self.mode), 0.05, 0.95)
        share = mode * (1 - mode)
        information = np.linalg.inv(np.array(self.covariance)) * np.outer(share, share) + np.diag(2 * share)
        factor = np.linalg.cholesky(np.linalg.inv(information))
        kept: list[list[np.ndarray]] = [[] for _ in range(self.chains)]
        lost = [0] * self.chains
        chains = [
            self._chain(np.random.default_rng([seed, k]), len(mode), kept[k], lost, k) for k in range(self.chains)
        ]
        asked = np.stack([next(chain) for chain in chains])
        used = 0
        while used + self.chains <= budget and min(map(len, kept)) < self.draws:
            places = logit(mode) + asked @ factor.T
            positions = expit(places)
            scores: Scores = yield positions
            used += self.chains
            assert scores.gradient is not None  # `gradient` is set
            share = positions * (1 - positions)
            with np.errstate(divide="ignore"):
                density = -scores.loss + np.log(share).sum(axis=1)
            slope = (-scores.gradient * share + (1 - 2 * positions)) @ factor
            sane = np.isfinite(density) & np.isfinite(slope).all(axis=1)
            told = zip(np.where(sane, density, -np.inf), np.where(sane[:, None], slope, 0.0), strict=True)
            asked = np.stack([chain.send((float(d), s)) for chain, (d, s) in zip(chains, told, strict=True)])
        n = min(min(map(len, kept)), self.draws)
        places = np.array([chain[:n] for chain in kept]).reshape(self.chains, n, len(mode))
        reason = f"{n} draws of each of {self.chains} chains from {used} of {budget} simulations"
        return Drawn(n == self.draws, reason, expit(logit(mode) + places @ factor.T), sum(lost))

    def _chain(self, random: np.random.Generator, n_free: int, kept: list, lost: list[int], number: int) -> Chain:
        """One chain without end; places in units of the posterior's own width."""
        here = Point(random.normal(size=n_free), np.zeros(n_free), -np.inf, np.zeros(n_free))
        while not np.isfinite(here.density):
            density, slope = yield here.place
            here = here._replace(density=density, slope=slope)
            if not np.isfinite(density):
                here = here._replace(place=0.5 * here.place)
        # dual averaging of the step (algorithm 6; gamma, t0 and kappa are those of section 3.2.1)
        step, centre, averaged, error = 0.5, np.log(5.0), 0.0, 0.0
        for draw in range(1, 2**31):
            here, tree = yield from self._draw(here, step, random)
            if draw <= self.warmup:
                error += (self.acceptance - tree.acceptance / tree.steps - error) / (draw + 10)
                logarithm = centre - np.sqrt(draw) / 0.05 * error
                averaged += draw**-0.75 * (logarithm - averaged)
                step = float(np.exp(np.clip(logarithm if draw < self.warmup else averaged, -6, 1)))
            else:
                kept.append(here.place)
                lost[number] += not np.isfinite(tree.draw.density) or tree.acceptance == 0.0

    def _draw(self, here: Point, step: float, random: np.random.Generator):
        start = here._replace(momentum=random.normal(size=len(here.place)))
        level = start.energy - random.exponential()
        tree = Tree(start, start, start, 1, True, 0.0, 0)
        for depth in range(self.depth):
            forwards = random.uniform() < 0.5
            end = tree.right if forwards else tree.left
            new = yield from _grown(end, level, step if forwards else -step, depth, start.energy, random)
            draw = new.draw if new.goes_on and random.uniform() < new.size / tree.size else tree.draw
            left, right = (tree.left, new.right) if forwards else (new.left, tree.right)
            tree = Tree(
                left, right, draw, tree.size + new.size, new.goes_on and _opens(left, right), new.acceptance, new.steps
            )
            if not tree.goes_on:
                break
        return tree.draw, tree


def _grown(end: Point, level: float, step: float, depth: int, energy: float, random: np.random.Generator):
    """A tree of 2^depth steps from one end of the trajectory."""
    if depth == 0:
        momentum = end.momentum + 0.5 * step * end.slope
        place = end.place + step * momentum
        density, slope = yield place
        new = Point(place, momentum + 0.5 * step * slope, density, slope)
        change = new.energy - energy
        goes_on = level < new.energy + _LARGEST_ERROR
        return Tree(new, new, new, int(level <= new.energy), goes_on, float(np.exp(min(change, 0.0))), 1)
    first = yield from _grown(end, level, step, depth - 1, energy, random)
    if not first.goes_on:
        return first
    edge = first.right if step > 0 else first.left
    second = yield from _grown(edge, level, step, depth - 1, energy, random)
    left, right = (first.left, second.right) if step > 0 else (second.left, first.right)
    size = first.size + second.size
    draw = second.draw if size and random.uniform() < second.size / size else first.draw
    goes_on = second.goes_on and _opens(left, right)
    return Tree(left, right, draw, size, goes_on, first.acceptance + second.acceptance, first.steps + second.steps)


def _opens(left: Point, right: Point) -> bool:
    """Whether the ends still move away from each other."""
    apart = right.place - left.place
    return bool(apart @ left.momentum >= 0 and apart @ right.momentum >= 0)
