"""The choice experiment's parts: the file, the split, the tokens, the simulated learners, the baselines, the scores."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from experiments.choice import learner, predicting, scoring, sessions, simulate, verdicts
from experiments.choice.experiment import Found
from experiments.choice.regression import Regression
from experiments.choice.sessions import Corpus, Subject
from experiments.choice.tokens import ACTIONS, FULL, HISTORY, WITHOUT_BOTH, WITHOUT_HISTORY, as_recording, parts_of
from experiments.choice.tokens import previous as previous_trial
from experiments.cli import main
from twin.errors import InputError, UnsupportedError

SHAPE = (4, 700)


@pytest.fixture(scope="module")
def visual():
    """Five subjects of the visual task, four sessions each."""
    return simulate.simulate("ibl", subjects=5, sessions=4, trials=(500, 700), seed=3)


@pytest.fixture(scope="module")
def folder(visual, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those subjects as a file."""
    path = tmp_path_factory.mktemp("choices")
    simulate.write(visual, path)
    return path


def bits(session, chance: np.ndarray) -> float:
    """Mean log-likelihood of a session's choices."""
    return float(np.where(session.choice == 1, np.log2(chance), np.log2(1 - chance)).mean())


def test_the_file_comes_back(visual, folder: Path) -> None:
    """What was simulated is what is read: choices, task, outcomes and chances."""
    for one, other in zip(visual, sessions.read(folder), strict=True):
        assert (one.subject, one.name) == (other.subject, other.name)
        np.testing.assert_array_equal(one.choice, other.choice)
        np.testing.assert_array_equal(one.task["task_contrast"], other.task["task_contrast"])
        np.testing.assert_allclose(one.truth, other.truth, atol=1e-8)


def test_the_simulated_task_is_the_published_one() -> None:
    """Blocks of 20 to 100 trials of .2 and .8 after 90 unbiased ones, and choices as likely as is stated."""
    chance = simulate.right_chance(2000, np.random.default_rng(0))
    assert (chance[:90] == 0.5).all() and set(np.round(chance[90:], 6)) == {0.2, 0.8}
    lengths = np.diff(np.flatnonzero(np.diff(chance[90:]) != 0))
    assert lengths.min() >= 20 and lengths.max() <= 100
    made = simulate.simulate("bandit", subjects=1, sessions=4, trials=(2000, 2000), seed=0)
    truth, choice = (np.concatenate([getattr(one, name) for one in made]) for name in ("truth", "choice"))
    for low in (0.0, 0.25, 0.5, 0.75):
        inside = (truth >= low) & (truth < low + 0.25)
        spread = np.sqrt(0.25 / inside.sum())
        assert abs(choice[inside].mean() - truth[inside].mean()) < 4 * spread


def test_the_split_keeps_subjects_and_sessions_apart(folder: Path) -> None:
    """Every fourth subject is new, the last session of each is scored, and none is used twice."""
    corpus = sessions.load(folder, None)
    assert [one.name for one in corpus.new] == ["mouse03"] and len(corpus.known) == 4
    for one in corpus.known:
        assert [session.name for session in one.fitted] == ["00", "01"]
        assert [session.name for session in one.validation + one.test] == ["02", "03"]
    assert corpus.is_simulated


def test_a_test_folder_is_only_scored(folder: Path, tmp_path: Path) -> None:
    """All sessions of --data are fitted or choose; a subject that --test alone has is new."""
    simulate.write(simulate.simulate("ibl", subjects=1, sessions=4, trials=(50, 60), seed=9, prefix="other"), tmp_path)
    corpus = sessions.load(folder, tmp_path)
    assert all(not one.test and len(one.fitted + one.validation) == 4 for one in corpus.known)
    assert [(len(one.fitted), len(one.test)) for one in corpus.new] == [(2, 2)]


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("subject,session,choice\na,0,1\n", InputError, "lacks reward"),
        ("subject,session,choice,reward\na,0,left,1\n", InputError, "a value that is no number"),
        ("subject,session,choice,reward\na,0,1,nan\n", InputError, "is not finite in line 2"),
        ("subject,session,choice,reward\na,0,2,1\n", UnsupportedError, "has the choice 2"),
        ("subject,session,choice,reward,p_choice_1\na,0,1,1,1.0\n", InputError, "not between 0 and 1"),
        ("subject,session,choice,reward\na,0,1,1\n", InputError, "give 3 subjects or more"),
    ],
)
def test_a_fault_is_one_sentence(text: str, error: type, told: str, tmp_path: Path) -> None:
    """It names the column and what is wrong."""
    (tmp_path / "trials.csv").write_text(text, encoding="utf-8")
    with pytest.raises(error, match=told):
        sessions.load(tmp_path, None)


def test_a_folder_without_choices_says_how_to_make_some(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """The command ends with code 2 and names the program that simulates."""
    with pytest.raises(SystemExit) as ending:
        main(["experiment", "choice", "--data", str(tmp_path), "--out", str(tmp_path / "out")])
    assert ending.value.code == 2
    assert "python -m experiments.choice.simulate DIR" in capsys.readouterr().err


def test_tokens_say_what_was_before_and_nothing_of_now(visual) -> None:
    """Another choice in this trial changes the token of the next one alone; without outcomes they are not in it."""
    one = visual[0]
    choice = one.choice.copy()
    choice[10] = 1 - choice[10]
    other = dataclasses.replace(one, choice=choice)
    for outcomes in (True, False):
        changed = previous_trial(one, outcomes) != previous_trial(other, outcomes)
        assert np.flatnonzero(changed).tolist() == [11]
    paid = dataclasses.replace(one, reward=1 - one.reward)
    assert (previous_trial(one, False) == previous_trial(paid, False)).all()
    tree = as_recording("mouse", "mouse", visual[:2])
    assert tree[f"behaviour/{HISTORY}"]["value"].values[0, 0] == 0
    assert tree[f"behaviour/{ACTIONS}"]["value"].shape == (2, max(map(len, visual[:2])))


def test_padding_is_in_no_part(visual) -> None:
    """The windows of the parts are the trials of the sessions, no more."""
    subject = Subject("mouse00", tuple(visual[:2]), tuple(visual[2:3]), tuple(visual[3:4]))
    parts = parts_of(subject)
    assert [(one.trial, one.stop) for one in parts.train] == [(0, len(visual[0])), (1, len(visual[1]))]
    assert [(one.trial, one.stop) for one in parts.test] == [(3, len(visual[3]))]


def test_the_fitted_learner_comes_near_the_true_one(visual) -> None:
    """Fitted to three sessions it is within .02 bits per choice on the fourth, which a regression is farther from."""
    own = [one for one in visual if one.subject == "mouse01"]
    found = learner.fit(own[:3], 1, 0, SHAPE)
    chance = found.predict(own[3:], SHAPE)[0]
    best = bits(own[3], own[3].truth)
    assert best - 0.02 < bits(own[3], chance) < best + 0.02
    without = Regression(own[:3], WITHOUT_HISTORY).predict(own[3])
    assert bits(own[3], without) < bits(own[3], chance)
    alone = Regression(own[:3], WITHOUT_BOTH).predict(own[3])
    assert len(set(alone.tolist())) == 1


def scored_of(visual, shift: float = 0.0) -> scoring.Scored:
    """Sessions predicted by their own learners, whose log odds are moved by `shift` as the surrogate's."""
    subjects = tuple(
        Subject(name, tuple(own[:2]), tuple(own[2:3]), tuple(own[3:]))
        for name in ("mouse00", "mouse01", "mouse02")
        if (own := [one for one in visual if one.subject == name])
    )
    corpus = Corpus(subjects, (), ("task_contrast",), "")
    every = tuple(one for subject in subjects for one in subject.test)
    odds = [np.log(one.truth / (1 - one.truth)) + shift for one in every]
    chances = {"surrogate": tuple(1 / (1 + np.exp(-one)) for one in odds)}
    flat = tuple(np.full(len(one), 0.5) for one in every)
    chances |= {name: flat for name in ("logistic", "learner", "without_task", "without_history")}
    chances["without_both"] = tuple(np.full(len(one), one.choice.mean()) for one in every)
    group = predicting._group("held_out_sessions", "session", every, chances, corpus, subjects)
    return scoring.score(group, 0)


def verdict_of(scored: scoring.Scored, visual, name: str) -> str:
    """The verdict of one claim."""
    corpus = Corpus((), (Subject("a", (), (), tuple(visual[:1])),), (), "")
    found = Found(corpus, scored, None, (), {}, 0.3, 0)
    return next(claim.verdict for claim in verdicts.claims(found) if claim.name == name)


def test_the_true_learner_passes_and_a_wrong_one_fails(visual) -> None:
    """The claim of 95 % of the true learner's gain: the learner itself, and one with log odds moved by one."""
    name = "has_95_percent_of_the_true_learners_gain"
    assert verdict_of(scored_of(visual), visual, name) == "pass"
    assert verdict_of(scored_of(visual, shift=1.0), visual, name) == "fail"
    right = scored_of(visual)
    assert right.table["surrogate", scoring.BITS].value == pytest.approx(right.table["ceiling", scoring.BITS].value)


def test_what_is_left_without_both_fails_where_it_is_something(visual) -> None:
    """A model without task and history that knows each choice's chance is what the audit must not let pass."""
    name = "nothing_is_left_without_task_and_history"
    clean = scored_of(visual)
    assert verdict_of(clean, visual, name) == "pass"
    chances = clean.group.chances | {"without_both": clean.group.chances["surrogate"]}
    leaking = scoring.score(dataclasses.replace(clean.group, chances=chances), 0)
    assert verdict_of(leaking, visual, name) == "fail"


def test_replacing_moves_trials_and_keeps_what_is_scored(visual) -> None:
    """Another trial's task has the same contrasts in another order; the past is another's; both differ."""
    one = visual[0]
    for name, change in predicting.replacements(0).items():
        moved = change(one)
        assert (np.sort(moved.task["task_contrast"]) == np.sort(one.task["task_contrast"])).all()
        assert ((moved.task["task_contrast"] != one.task["task_contrast"]).any()) == (name != "history_replaced")
        assert ((moved.choice != one.choice).any()) == (name != "task_replaced")


@pytest.mark.slow
def test_the_whole_experiment_writes_a_report(tmp_path: Path) -> None:
    """From simulated subjects to report.html, with every claim judged and no figure missing."""
    from experiments.choice import experiment

    data = tmp_path / "data"
    simulate.write(simulate.simulate("bandit", subjects=5, sessions=4, trials=(60, 80)), data)
    out = experiment.run(data, None, tmp_path / "out", seed=0, console=Console(quiet=True), settings=experiment.QUICK)
    assert {"report.html", "report.json", "results.zarr"} <= {one.name for one in out.iterdir()}
    text = (out / "report.json").read_text(encoding="utf-8")
    for name in (FULL.name, "without_both", "average_subject", "adapted", "ceiling"):
        assert f'"{name}"' in text
