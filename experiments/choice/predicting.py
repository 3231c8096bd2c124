"""Everything that predicts the scored sessions: surrogates with and without inputs, learners, regressions, planted."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from experiments.choice import learner
from experiments.choice.regression import Regression
from experiments.choice.sessions import Corpus, Session, Subject
from experiments.choice.settings import Settings
from experiments.choice.tokens import (
    FULL,
    VARIANTS,
    WITHOUT_BOTH,
    Shown,
    as_recording,
    config_of,
    parts_of,
)
from surrogate import Fit, Surrogate, adapt, fit
from twin.split import Parts, Segment

Chances = tuple[np.ndarray, ...]  # of choice 1, for each scored session
ADAPT_SHARE = 0.8  # of each session that a new subject is adapted to; the rest of it stops the fit
BLOCK = 80  # trials, of the planted shortcut


@dataclasses.dataclass(frozen=True)
class Group:
    """Scored sessions and what every model gives for them.

    Attributes:
        name: condition of the report.
        unit: what intervals resample.
        sessions: that are scored.
        chances: model -> chance of choice 1 in each trial of each session.
        base: each session's subject's rate of choice 1 in what was fitted.
        pooled: rate of choice 1 over all fitted sessions.
    """

    name: str
    unit: str
    sessions: tuple[Session, ...]
    chances: dict[str, Chances]
    base: np.ndarray
    pooled: float


def known_group(corpus: Corpus, fits: dict[str, Fit], settings: Settings, seed: int) -> Group:
    """Held-out sessions of subjects that were fitted."""
    every = tuple(one for subject in corpus.known for one in subject.test)
    chances: dict[str, Chances] = {}
    for name, one in fits.items():
        chances[name] = _by_surrogate(one.surrogate, corpus.known, lambda session: session)
    full = fits[FULL.name].surrogate
    for name, change in replacements(seed).items():
        chances[name] = _by_surrogate(full, corpus.known, change)
    shape = _shape(corpus)
    found: dict[str, list[np.ndarray]] = {}
    for subject in corpus.known:
        if subject.test:
            for name, rows in _classical(subject, subject.fitted, settings, seed, shape).items():
                found.setdefault(name, []).extend(rows)
    chances |= {name: tuple(rows) for name, rows in found.items()}
    return _group("held_out_sessions", "session", every, chances, corpus, corpus.known)


def new_groups(corpus: Corpus, surrogate: Surrogate, settings: Settings, seed: int) -> Iterator[Group]:
    """Left-out subjects: as the average subject, and adapted to their first 1, 2, ... sessions."""
    if not corpus.new:
        return
    every = tuple(one for subject in corpus.new for one in subject.test)
    pooled = [one for subject in corpus.known for one in subject.fitted]
    regression, shape = Regression(pooled, FULL), _shape(corpus)
    chances = {
        "average_subject": _by_surrogate(surrogate, corpus.new, lambda session: session),
        "logistic_of_the_others": tuple(regression.predict(one) for one in every),
    }
    yield _group("left_out_subjects", "animal", every, chances, corpus, ())
    most = min(len(one.fitted) for one in corpus.new)
    for n in sorted({min(one, most) for one in settings.adapted_to}):
        given = [dataclasses.replace(one, fitted=one.fitted[:n]) for one in corpus.new]
        adapted = _adapted(surrogate, given, settings)
        chances = {"adapted": _by_surrogate(adapted, given, lambda session: session)}
        found: dict[str, list[np.ndarray]] = {}
        for subject in given:
            for name, rows in _classical(subject, subject.fitted, settings, seed, shape).items():
                if name in ("logistic", "learner"):
                    found.setdefault(name, []).extend(rows)
        chances |= {name: tuple(rows) for name, rows in found.items()}
        yield _group(f"left_out_subjects_after_{n}_sessions", "animal", every, chances, corpus, given)


def fit_variants(corpus: Corpus, settings: Settings, seed: int, done: Callable[[], None]) -> dict[str, Fit]:
    """The surrogate, and surrogates that were trained without task, history or both."""
    found = {}
    for shown in VARIANTS:
        found[shown.name] = fit_one(shown, corpus.known, corpus.columns, settings, seed)
        done()
    return found


def fit_one(shown: Shown, subjects: Sequence[Subject], columns: Sequence[str], settings: Settings, seed: int) -> Fit:
    """One surrogate of all subjects."""
    fitted = [session for one in subjects for session in one.fitted]
    trees = [as_recording(one.name, one.name, one.every) for one in subjects]
    parts = {one.name: parts_of(one) for one in subjects}
    return fit(config_of(shown, columns, fitted, settings, seed), trees, parts=parts)


def planted(corpus: Corpus, settings: Settings, seed: int) -> dict[str, Group]:
    """Copies of the known subjects in which a share of the choices follows a shortcut, and what finds it there.

    trial_number: blocks of trials that are the same in all sessions. identity: every other subject goes one way.
    """
    groups = {}
    for name in ("trial_number", "identity"):
        subjects = []
        for number, subject in enumerate(corpus.known):
            random = np.random.default_rng([seed, number])
            fitted, validation, test = (
                tuple(_with_shortcut(one, name, number, settings.planted, random) for one in part)
                for part in (subject.fitted, subject.validation, subject.test)
            )
            subjects.append(Subject(subject.name, fitted, validation, test))
        copy = dataclasses.replace(corpus, known=tuple(subjects), new=())
        found = fit_one(WITHOUT_BOTH, copy.known, copy.columns, settings, seed)
        chances = {WITHOUT_BOTH.name: _by_surrogate(found.surrogate, copy.known, lambda session: session)}
        every = tuple(one for subject in copy.known for one in subject.test)
        groups[name] = _group(f"planted_{name}", "session", every, chances, copy, copy.known)
    return groups


def _with_shortcut(session: Session, kind: str, number: int, share: float, random: np.random.Generator) -> Session:
    n = len(session)
    side = np.arange(n) // BLOCK % 2 if kind == "trial_number" else np.full(n, number % 2)
    return dataclasses.replace(session, choice=np.where(random.random(n) < share, side, session.choice), truth=None)


def replacements(seed: int) -> dict[str, Callable[[Session], Session]]:
    """What the trained surrogate is shown instead of the truth: another trial's task, another trial's past, both."""

    def order(session: Session, salt: int) -> np.ndarray:
        return np.random.default_rng([seed, salt, len(session)]).permutation(len(session))

    def task(session: Session) -> Session:
        moved = order(session, 1)
        shown = {name: values[moved] for name, values in session.task.items()}
        return dataclasses.replace(session, task=shown, reward=session.reward[moved])

    def history(session: Session) -> Session:
        moved = order(session, 2)
        return dataclasses.replace(session, choice=session.choice[moved], reward=session.reward[moved])

    return {"task_replaced": task, "history_replaced": history, "both_replaced": lambda one: history(task(one))}


def _by_surrogate(surrogate: Surrogate, subjects: Sequence[Subject], change: Callable[[Session], Session]) -> Chances:
    rows: list[np.ndarray] = []
    for subject in subjects:
        if not subject.test:
            continue
        known = subject.fitted + subject.validation
        tree = as_recording(subject.name, subject.name, (*known, *(change(one) for one in subject.test)))
        mean = surrogate.predict(tree).mean[len(known) :, :, 0]
        rows += [mean[k, : len(one)].astype(np.float64) for k, one in enumerate(subject.test)]
    return tuple(rows)


def _adapted(surrogate: Surrogate, subjects: Sequence[Subject], settings: Settings) -> Surrogate:
    trees, parts = [], {}
    for subject in subjects:
        trees.append(as_recording(subject.name, subject.name, subject.every))
        edges = [(k, round(ADAPT_SHARE * len(one)), len(one)) for k, one in enumerate(subject.fitted)]
        train = tuple(Segment(trial, 0, edge) for trial, edge, _ in edges)
        parts[subject.name] = Parts(train, tuple(Segment(*one) for one in edges))
    return adapt(surrogate, trees, training=settings.adapting, parts=parts).surrogate


def _classical(
    subject: Subject, fitted: Sequence[Session], settings: Settings, seed: int, shape: tuple[int, int]
) -> dict[str, list[np.ndarray]]:
    found = {}
    for shown in VARIANTS[:-1]:
        name = "logistic" if shown is FULL else f"logistic_{shown.name}"
        regression = Regression(fitted, shown)
        found[name] = [regression.predict(one) for one in subject.test]
    fit_learner = learner.fit(fitted, settings.starts, seed, shape)
    found["learner"] = fit_learner.predict(subject.test, shape)
    return found


def _shape(corpus: Corpus) -> tuple[int, int]:
    every = (*corpus.known, *corpus.new)
    sessions = max(max(len(one.fitted), len(one.test)) for one in every)
    return sessions, max(len(session) for one in every for session in one.every)


def _group(
    name: str,
    unit: str,
    sessions: tuple[Session, ...],
    chances: dict[str, Chances],
    corpus: Corpus,
    fitted: Sequence[Subject],
) -> Group:
    pooled = _rate([session for subject in corpus.known for session in subject.fitted])
    rates = {subject.name: _rate(subject.fitted) for subject in fitted}
    base = np.array([rates.get(one.subject, pooled) for one in sessions])
    chances = dict(chances)
    chances["base_rate"] = tuple(np.full(len(one), rate) for one, rate in zip(sessions, base, strict=True))
    chances["pooled_base_rate"] = tuple(np.full(len(one), pooled) for one in sessions)
    if all(one.truth is not None for one in sessions):
        chances["ceiling"] = tuple(one.truth for one in sessions if one.truth is not None)
    return Group(name, unit, sessions, chances, base, pooled)


def _rate(sessions: Sequence[Session]) -> float:
    # Half a choice on each side keeps a subject that always went one way from an infinite loss.
    choice = np.concatenate([one.choice for one in sessions])
    return float((choice.sum() + 0.5) / (len(choice) + 1.0))
