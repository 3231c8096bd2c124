"""Simulated subjects in a published task: `python -m experiments.choice.simulate DIR [--task ibl|bandit] [--seed 0]`.

It writes DIR/trials.csv with the chance that each learner gave to its choice, so that the best possible score is known.

ibl: the visual decision task of the International Brain Laboratory (2021, eLife 10:e63711). A grating of contrast 0,
6.25, 12.5, 25 or 100 % on the left or right; the right side has the probability .5 in the first 90 trials, then .2 and
.8 in blocks of 20 to 100 trials, exponentially distributed. Learners are psychometric, with lapses, and their prior is
an exponentially decaying trace of their own actions, which described 107 mice best (Findling et al. 2025, Nature, doi
10.1038/s41586-025-09226-1; median decay 5.45 trials, which is the median here).

bandit: two arms that pay with .8 and .2, reversing with a chance of .02 in each trial (Beron et al. 2022, PNAS
119:e2113961119). Learners are Q-learners that forget the arm not chosen and tend to repeat themselves.

How much subjects differ is our choice, and stated in `ibl_learner` and `bandit_learner`.
"""

import argparse
import csv
import dataclasses
from pathlib import Path

import numpy as np

from experiments.choice.sessions import FILE, TRUTH, Session
from twin.errors import InputError

CONTRASTS = (0.0, 0.0625, 0.125, 0.25, 1.0)
UNBIASED, BLOCK_TAU, BLOCK_RANGE, BIAS = 90, 60.0, (20, 100), 0.8
HAZARD, PAYS = 0.02, (0.2, 0.8)
STEEPNESS = 5.0  # of the contrast's saturation, tanh(5 c) / tanh(5) (Roy et al. 2021, Neuron 109:597)


@dataclasses.dataclass(frozen=True)
class IblLearner:
    """A subject of the visual task.

    Attributes:
        sensitivity: of the log odds to a contrast of 100 %.
        bias: of the log odds to the right.
        prior_weight: how much of the log odds of its prior it uses.
        decay: time constant of the prior, trials.
        lapse_low: chance of going right whatever is seen.
        lapse_high: chance of going left whatever is seen.
    """

    sensitivity: float
    bias: float
    prior_weight: float
    decay: float
    lapse_low: float
    lapse_high: float


@dataclasses.dataclass(frozen=True)
class BanditLearner:
    """A subject of the bandit.

    Attributes:
        learning: rate of the chosen arm's value.
        forgetting: rate at which the other arm's value fades.
        temperature: weight of the values' difference in the log odds.
        sticking: weight of the last choice in the log odds.
        bias: of the log odds.
    """

    learning: float
    forgetting: float
    temperature: float
    sticking: float
    bias: float


def ibl_learner(random: np.random.Generator) -> IblLearner:
    """A subject: sensitivity 5 (lognormal, sd .25), bias 0 ± .3, prior .7 ± .15, decay 5.45 (sd .25), lapses .02-.1."""
    return IblLearner(
        sensitivity=5.0 * np.exp(0.25 * random.normal()),
        bias=0.3 * random.normal(),
        prior_weight=0.7 + 0.15 * random.normal(),
        decay=5.45 * np.exp(0.25 * random.normal()),
        lapse_low=random.uniform(0.02, 0.1),
        lapse_high=random.uniform(0.02, 0.1),
    )


def bandit_learner(random: np.random.Generator) -> BanditLearner:
    """A subject: learning .3-.7, forgetting .1-.4, temperature 3 ± .5, sticking .8 ± .3, bias 0 ± .15."""
    return BanditLearner(
        learning=random.uniform(0.3, 0.7),
        forgetting=random.uniform(0.1, 0.4),
        temperature=3.0 + 0.5 * random.normal(),
        sticking=0.8 + 0.3 * random.normal(),
        bias=0.15 * random.normal(),
    )


def right_chance(n: int, random: np.random.Generator) -> np.ndarray:
    """(trial,) chance that the grating is on the right: .5 in the first trials, then blocks of .2 and .8."""
    chance, side = [0.5] * UNBIASED, bool(random.integers(2))
    while len(chance) < n:
        length = 0.0
        while not BLOCK_RANGE[0] <= length <= BLOCK_RANGE[1]:
            length = random.exponential(BLOCK_TAU)
        chance += [BIAS if side else 1.0 - BIAS] * round(length)
        side = not side
    return np.array(chance[:n])


def ibl_session(subject: str, name: str, n: int, learner: IblLearner, random: np.random.Generator) -> Session:
    """One session of the visual task."""
    right = random.random(n) < right_chance(n, random)
    contrast = random.choice(CONTRASTS, size=n)
    signed = np.where(right, contrast, -contrast)
    seen = learner.sensitivity * np.tanh(STEEPNESS * signed) / np.tanh(STEEPNESS)
    choice, truth, prior = np.zeros(n, np.int64), np.zeros(n), 0.5
    for trial in range(n):
        kept = np.clip(prior, 0.02, 0.98)
        odds = seen[trial] + learner.bias + learner.prior_weight * np.log(kept / (1.0 - kept))
        reach = 1.0 - learner.lapse_low - learner.lapse_high
        truth[trial] = learner.lapse_low + reach / (1.0 + np.exp(-odds))
        choice[trial] = random.random() < truth[trial]
        prior += (choice[trial] - prior) / learner.decay
    return Session(subject, name, choice, (choice == right).astype(float), {"task_contrast": signed + 0.0}, truth)


def bandit_session(subject: str, name: str, n: int, learner: BanditLearner, random: np.random.Generator) -> Session:
    """One session of the bandit."""
    good = (np.cumsum(random.random(n) < HAZARD) + random.integers(2)) % 2
    choice, reward, truth = np.zeros(n, np.int64), np.zeros(n), np.zeros(n)
    values, last = np.zeros(2), 0.0
    for trial in range(n):
        odds = learner.bias + learner.temperature * (values[1] - values[0]) + learner.sticking * last
        truth[trial] = 1.0 / (1.0 + np.exp(-odds))
        chosen = int(random.random() < truth[trial])
        choice[trial], reward[trial] = chosen, random.random() < PAYS[int(chosen == good[trial])]
        values[chosen] += learner.learning * (reward[trial] - values[chosen])
        values[1 - chosen] *= 1.0 - learner.forgetting
        last = 2.0 * chosen - 1.0
    return Session(subject, name, choice, reward, {}, truth)


def simulate(
    task: str = "ibl",
    *,
    subjects: int = 24,
    sessions: int = 8,
    trials: tuple[int, int] = (400, 800),
    seed: int = 0,
    prefix: str = "mouse",
) -> list[Session]:
    """Sessions of a number of trials that is drawn evenly from `trials`, subject by subject."""
    found = []
    for number in range(subjects):
        random = np.random.default_rng([seed, number])
        name = f"{prefix}{number:02d}"
        for session in range(sessions):
            if session == 0:
                visual, arms = ibl_learner(random), bandit_learner(random)
            n = int(random.integers(trials[0], trials[1] + 1))
            if task == "ibl":
                found.append(ibl_session(name, f"{session:02d}", n, visual, random))
            else:
                found.append(bandit_session(name, f"{session:02d}", n, arms, random))
    return found


def write(sessions: list[Session], folder: Path) -> Path:
    """The file that `sessions.read` reads.

    Raises:
        InputError: it is there already.
    """
    path = folder / FILE
    if path.exists():
        raise InputError(f"{path}: exists already; give another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["subject", "session", "trial", *sessions[0].task, "choice", "reward", TRUTH])
        for one in sessions:
            assert one.truth is not None  # simulated here
            for trial in range(len(one)):
                shown = [f"{values[trial]:g}" for values in one.task.values()]
                told = [f"{one.choice[trial]:d}", f"{one.reward[trial]:g}", f"{one.truth[trial]:.9f}"]
                writer.writerow([one.subject, one.name, trial, *shown, *told])
    return path


def main() -> None:
    """Write a corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where trials.csv goes")
    parser.add_argument("--task", choices=("ibl", "bandit"), default="ibl", help="what the subjects do")
    parser.add_argument("--subjects", type=int, default=24, help="how many")
    parser.add_argument("--sessions", type=int, default=8, help="of each subject")
    parser.add_argument("--seed", type=int, default=0, help="of everything random")
    options = parser.parse_args()
    made = simulate(options.task, subjects=options.subjects, sessions=options.sessions, seed=options.seed)
    print(write(made, options.folder))


if __name__ == "__main__":
    main()
