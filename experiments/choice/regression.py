"""The classic baseline: logistic regression on what the task shows and on the last choices and outcomes."""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression

from experiments.choice.sessions import Session
from experiments.choice.tokens import FEW_LEVELS, Shown

LAGS = 10  # trials back
_STRENGTH = 1.0  # inverse of the ridge penalty, as scikit-learn counts it


class Regression:
    """A logistic regression of one subject, or of several together.

    Args:
        sessions: to fit.
        shown: what it may look at, as a surrogate's variant.
    """

    def __init__(self, sessions: Sequence[Session], shown: Shown) -> None:
        self.shown = shown
        self._levels: dict[str, np.ndarray | None] = {}
        self._scale: dict[str, tuple[float, float]] = {}
        for name in sessions[0].task if shown.task else ():
            values = np.concatenate([one.task[name] for one in sessions])
            levels = np.unique(values)
            self._levels[name] = levels if len(levels) <= FEW_LEVELS else None
            self._scale[name] = float(values.mean()), float(values.std()) or 1.0
        choice = np.concatenate([one.choice for one in sessions])
        rows = np.concatenate([self._features(one) for one in sessions])
        self._rate = float(np.clip(choice.mean(), 1e-3, 1 - 1e-3))
        self._model = None
        if rows.shape[1] and len(np.unique(choice)) == 2:
            self._model = LogisticRegression(C=_STRENGTH, max_iter=500).fit(rows, choice)

    def predict(self, session: Session) -> np.ndarray:
        """(trial,) chance of choice 1."""
        if self._model is None:
            return np.full(len(session), self._rate)
        return self._model.predict_proba(self._features(session))[:, 1]

    def _features(self, session: Session) -> np.ndarray:
        columns = [np.zeros((len(session), 0))]
        for name, levels in self._levels.items():
            values, (mean, deviation) = session.task[name], self._scale[name]
            columns.append((values - mean)[:, None] / deviation)
            if levels is not None:
                columns.append((values[:, None] == levels[None]).astype(float))
        if self.shown.history:
            signed = 2.0 * session.choice - 1.0
            traces = [signed, signed * session.rewarded] if self.shown.task else [signed]
            columns += [_lagged(one) for one in traces]
        return np.concatenate(columns, axis=1)


def _lagged(values: np.ndarray) -> np.ndarray:
    """(trial, lag): the values 1 to `LAGS` trials before, 0 before the session."""
    padded = np.concatenate([np.zeros(LAGS), values])
    return np.stack([padded[LAGS - lag : LAGS - lag + len(values)] for lag in range(1, LAGS + 1)], axis=1)
