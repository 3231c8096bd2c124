"""One network for the units of all recordings, trained without the study that is left out.

It maps what a unit did on many time scales, what all others and the nearest did, and (in two of the three variants)
how the recording was made, to the expected count. Nothing of it belongs to one unit, so that it predicts new ones.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np

from experiments.retina_corpus.corpus import Recorded, usable
from experiments.retina_corpus.settings import Settings
from surrogate import Config, Surrogate, fit
from surrogate.config import Data, Inputs, Model, Training
from surrogate.progress import Look

VARIANTS = {
    "none": (),
    "lab": ("study",),
    "protocol": ("age", "temperature", "genotype", "condition"),
}
PAST, AROUND = "past", "around"  # the others' past alone, or two windows to either side too: co-smoothing


def config_of(settings: Settings, covariates: tuple[str, ...], sight: str, seed: int) -> Config:
    """The surrogate of a variant."""
    around = sight == AROUND
    return Config(
        name="retina_corpus",
        seed=seed,
        data=Data(
            window_s=settings.window_s, covariates=covariates, length=settings.length, burn_in=2 if around else 0,
            carried=True, max_units=settings.units, fewest_units=settings.units, cache_mb=600.0,
        ),
        inputs=Inputs(
            others_until=2 if around else -1, others_windows=5 if around else 0, others_near=6, covariates=True
        ),
        model=Model(
            head="poisson", core="none", width=16, embedding=1, decoder=settings.width, decoder_layers=1,
            log_history=True, history_taus=settings.taus, latents=0, coupling_rank=1, attention_heads=1,
            covariate_dropout=0.2,
        ),
        training=Training(
            steps=settings.steps, batch=settings.batch, learning_rate=4e-3, warm_up=min(100, settings.steps // 4),
            weight_decay=1e-3, check_every=settings.steps, ema=0.99, patience=0, fit_units=False,
        ),
    )  # fmt: skip


def folds(studies: Collection[str], together: int) -> tuple[tuple[str, ...], ...]:
    """Which studies are left out at a time: those of one first author always, and `together` or more of them.

    Studies of one first author may share recordings, and a laboratory.
    """
    by_author: dict[str, list[str]] = {}
    for study in sorted(studies):
        by_author.setdefault(study.rstrip("0123456789"), []).append(study)
    found = [tuple(group) for group in by_author.values() if len(group) >= together]
    rest = [study for group in by_author.values() if len(group) < together for study in group]
    found += [tuple(rest[start : start + together]) for start in range(0, len(rest), together)]
    return tuple(sorted(found))


def material(recordings: Sequence[Recorded], left_out: Collection[str], settings: Settings) -> list[Recorded]:
    """The recordings that pretrain: of each study that is not left out so many, drawn at random, with usable units."""
    chosen: list[Recorded] = []
    for study in sorted({one.study for one in recordings} - set(left_out)):
        of_study = [one for one in recordings if one.study == study]
        order = np.random.default_rng(0).permutation(len(of_study))
        drawn = (usable(of_study[place], settings, scored=False) for place in order)
        chosen += [one for one in drawn if isinstance(one, Recorded)][: settings.most_pretraining]
    return chosen


def pretrained(
    recordings: Sequence[Recorded],
    config: Config,
    out: Path,
    progress: Callable[[float, Look | None], None] = lambda share, look: None,
) -> Surrogate:
    """Train on all windows of these recordings, or read what an earlier run of the same left in `out`."""
    finished = _finished(out / "checkpoint", recordings, config)
    if finished is not None:
        return finished
    parts = {one.name: one.whole for one in recordings}
    return fit(config, [one.tree for one in recordings], parts=parts, out=out, progress=progress).surrogate


def _finished(folder: Path, recordings: Sequence[Recorded], config: Config) -> Surrogate | None:
    """The network of a run that came to its end, unless it was another configuration or other recordings."""
    if not folder.exists():
        return None
    found = Surrogate.from_checkpoint(folder)
    names = [one.name for one in recordings]
    same = found.config == config and [one.name for one in found.vocabulary.sessions] == names
    return found if same and found.checkpoint.trained["steps"] == config.training.steps else None
