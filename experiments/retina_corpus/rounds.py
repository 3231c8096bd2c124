"""What is left out at a time, what pretrains meanwhile, and what is scored; finished parts are kept and read again."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from experiments.retina_corpus import adapting, glm
from experiments.retina_corpus.corpus import Recorded, chosen_for_scoring
from experiments.retina_corpus.pretraining import AROUND, PAST, VARIANTS, config_of, folds, material, pretrained
from experiments.retina_corpus.settings import Settings
from surrogate import Surrogate
from surrogate.files import replace_file

POISSON, HISTORY, COUPLED, PRETRAINED, ADAPTED = "poisson", "glm_history", "glm_coupled", "pretrained", "adapted"
# What is scored, in this order: the main result first, so that a run that was stopped has it.
TASKS = ((PAST, "none"), (AROUND, "none"), (PAST, "protocol"), (PAST, "lab"))
METRICS = {PAST: "bits_per_spike", AROUND: "co_bits_per_spike"}
Tell = Callable[[str, float], None]


@dataclasses.dataclass(frozen=True, eq=False)
class Round:
    """One time of leaving out.

    Attributes:
        name: of its folder.
        left_out: studies.
        material: what pretrains.
        scored: recordings of the studies that were left out.
    """

    name: str
    left_out: tuple[str, ...]
    material: Sequence[Recorded]
    scored: Sequence[Recorded]


@dataclasses.dataclass
class Scored:
    """What came out of one recording.

    Attributes:
        bits: (metric, model) -> bits per spike of the scored part.
        ridges: (sight, variant) -> ridge that was chosen.
    """

    recording: Recorded
    bits: dict[tuple[str, str], float]
    ridges: dict[tuple[str, str], float]


def rounds_of(data: Sequence[Recorded], test: Sequence[Recorded] | None, settings: Settings) -> list[Round]:
    """With a test folder one round, in which all of the data pretrain; otherwise one for each fold of studies."""
    if test is not None:
        studies = tuple(sorted({one.study for one in test}))
        return [Round("all", studies, material(data, (), settings), chosen_for_scoring(test, settings))]
    scored = chosen_for_scoring(data, settings)
    found = []
    for studies in folds({one.study for one in data}, settings.together):
        pretraining = material(data, studies, settings)
        own = [one for one in scored if one.study in studies]
        if pretraining and own:
            found.append(Round("without_" + "_".join(studies), studies, pretraining, own))
    return found


def network(one: Round, task: tuple[str, str], work: Path, settings: Settings, seed: int, tell: Tell) -> Surrogate:
    """The pretrained network of a round, from its folder where it is finished."""
    sight, variant = task
    folder = work / "pretrained" / one.name / f"{sight}_{variant}"
    config = config_of(settings, VARIANTS[variant], sight, seed)
    what = f"pretrain {sight} {variant}, {one.name.replace('_', ' ')}"
    return pretrained(one.material, config, folder, lambda share, look: tell(what, share))


def score(every: Sequence[Round], work: Path, settings: Settings, seed: int, tell: Tell) -> list[Scored]:
    """All recordings with all tasks."""
    found = [Scored(recording, {}, {}) for one in every for recording in one.scored]
    by_name = {one.recording.name: one for one in found}
    for task in TASKS:
        for one in every:
            own = [by_name[recording.name] for recording in one.scored]
            _score_task(one, own, task, work, settings, seed, tell)
    return found


def _score_task(
    one: Round, own: Sequence[Scored], task: tuple[str, str], work: Path, settings: Settings, seed: int, tell: Tell
) -> None:
    sight, variant = task
    places = {each.recording.name: _place(work, each.recording, task, one, settings, seed) for each in own}
    missing = [each for each in own if not places[each.recording.name].exists()]
    if missing:
        surrogate = network(one, task, work, settings, seed, tell)
        logs = adapting.zero_shot(surrogate, [each.recording for each in missing])
        for number, each in enumerate(missing):
            tell(f"adapt and score {sight} {variant}, {each.recording.name}", number / len(missing))
            told = _scored(each.recording, logs[each.recording.name], task, settings)
            _keep(told, places[each.recording.name])
    for each in own:
        told = json.loads(places[each.recording.name].read_text(encoding="utf-8"))
        each.bits |= {(METRICS[sight], model): value for model, value in told["bits"].items()}
        each.ridges[task] = float(told["ridge"])


def _keep(told: dict, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)

    def write(path: Path) -> None:
        path.write_text(json.dumps(told), encoding="utf-8")

    replace_file(place, write)


def _scored(one: Recorded, network_logs: np.ndarray, task: tuple[str, str], settings: Settings) -> dict:
    sight, variant = task
    kind = glm.KINDS["glm_coupled" if sight == PAST else "glm_cosmooth"]
    late, counts = slice(one.fitted, None), one.counts[one.fitted :]
    network_logs = np.minimum(network_logs, glm.LARGEST)
    adapted = adapting.adapt(one, network_logs, kind, settings)
    suffix = "" if variant == "none" else f"_{variant}"
    bits = {
        PRETRAINED + suffix: adapting.bits(network_logs[late], counts),
        ADAPTED + suffix: adapting.bits(adapted.log_counts[late], counts),
    }
    if variant == "none":
        bits[COUPLED] = adapting.bits(glm.predict(one.counts, one.places_um, one.fitted, kind)[late], counts)
    if task == TASKS[0]:
        history = glm.predict(one.counts, one.places_um, one.fitted, glm.KINDS["glm_history"])
        mean = np.log(one.counts[: one.fitted].mean(axis=0))
        bits[HISTORY] = adapting.bits(history[late], counts)
        bits[POISSON] = adapting.bits(np.broadcast_to(mean, counts.shape), counts)
    return {"bits": bits, "ridge": adapted.ridge}


def _place(work: Path, one: Recorded, task: tuple[str, str], within: Round, settings: Settings, seed: int) -> Path:
    """Where the scores of a recording are kept: another name for whatever would change them."""
    told = [dataclasses.asdict(settings), seed, task, [each.name for each in within.material], one.unit_ids]
    digest = hashlib.sha256(json.dumps(told, default=str).encode() + one.counts.tobytes()).hexdigest()
    return work / "scored" / f"{one.name}_{'_'.join(task)}_{digest[:12]}.json"
