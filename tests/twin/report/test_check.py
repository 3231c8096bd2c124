"""The published schema and the run-time check say the same, and both keep nonsense out."""

import copy
import json

import jsonschema
import pytest

from twin.errors import InputError
from twin.judge import claims as judged
from twin.report import as_dict, check, schema, validate, vocabulary


@pytest.fixture
def document(report):
    return as_dict(report)


def accepted_by_schema(document) -> bool:
    return jsonschema.Draft202012Validator(schema()).is_valid(document)


def accepted_by_check(document) -> bool:
    try:
        validate(document)
    except InputError:
        return False
    return True


def test_the_schema_is_a_schema():
    """The published file is itself valid under draft 2020-12."""
    jsonschema.Draft202012Validator.check_schema(schema())


def test_a_good_report_is_accepted_by_both(document):
    """The sample satisfies the schema library and the run-time check, also after a trip through JSON."""
    again = json.loads(json.dumps(document))
    assert accepted_by_schema(again) and accepted_by_check(again)


def test_an_empty_report_is_accepted_by_both(document):
    """A report may hold no claim and no score."""
    empty = document | {"claims": [], "scores": [], "versions": {}}
    assert accepted_by_schema(empty) and accepted_by_check(empty)


BROKEN = {
    "no seed": lambda d: d.pop("seed"),
    "an extra field": lambda d: d.update(created="today"),
    "an empty name": lambda d: d.update(name=" "),
    "a seed with a fraction": lambda d: d.update(seed=1.5),
    "a seed that is true": lambda d: d.update(seed=True),
    "a version that is a number": lambda d: d["versions"].update(numpy=2),
    "versions in a list": lambda d: d.update(versions=[]),
    "claims in a mapping": lambda d: d.update(claims={}),
    "a claim that is text": lambda d: d["claims"].append("pass"),
    "a claim without reason": lambda d: d["claims"][0].pop("reason"),
    "a claim with a p-value": lambda d: d["claims"][0].update(p=0.06),
    "a level beyond the ladder": lambda d: d["claims"][0].update(level="L6"),
    "a verdict of its own": lambda d: d["claims"][0].update(verdict="maybe"),
    "a verdict that is a list": lambda d: d["claims"][0].update(verdict=["pass"]),
    "not testable for no reason": lambda d: d["claims"][2].update(reason=""),
    "not testable for null": lambda d: d["claims"][2].update(reason=None),
    "a figure that is text": lambda d: d["claims"][0].update(figure="0.5"),
    "a margin that is true": lambda d: d["claims"][0].update(margin=True),
    "n below zero": lambda d: d["claims"][0].update(n=-1),
    "n with a fraction": lambda d: d["scores"][0].update(n=1.5),
    "a split called held-out": lambda d: d["scores"][0].update(split="held-out"),
    "a metric in capitals": lambda d: d["scores"][0].update(metric="FEVE"),
    "a model without a name": lambda d: d["scores"][0].update(model=""),
    "a model that is null": lambda d: d["scores"][0].update(model=None),
    "a condition that is a number": lambda d: d["scores"][0].update(condition=2.0),
    "a unit that is a number": lambda d: d["scores"][0].update(unit=3),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_reports_are_refused_by_both(document, name):
    """Whatever the schema library refuses, the run-time check refuses too."""
    broken = copy.deepcopy(document)
    BROKEN[name](broken)
    assert not accepted_by_schema(broken)
    assert not accepted_by_check(broken)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_refused(document, number):
    """NaN and infinity, which a JSON Schema cannot see, are refused with the place and the way out."""
    document["scores"][1]["value"] = number
    with pytest.raises(InputError, match=r"score 2 has value = .*finite number, or null"):
        validate(document)


def test_swapped_ends_are_refused(document):
    """An interval has its lower end first."""
    document["claims"][0].update(low=0.2, high=0.1)
    with pytest.raises(InputError, match="claim 1 has the interval 0.2 to 0.1"):
        validate(document)


def test_two_scores_for_one_place_are_refused(document):
    """The tidy table has one row for each split, condition, model and metric."""
    document["scores"].append(dict(document["scores"][0], value=0.1))
    with pytest.raises(InputError, match="score 9 repeats score 1"):
        validate(document)


def test_an_error_says_what_came_and_what_was_wanted(document):
    """The sentence names the report, the row, the field, the value and the words that are allowed."""
    document["claims"][0]["verdict"] = "maybe"
    expected = "report 'sample', claim 1 has verdict = 'maybe'; wanted one of pass, fail, not_testable."
    with pytest.raises(InputError) as caught:
        validate(document)
    assert str(caught.value) == expected


def test_one_vocabulary():
    """The judge, the run-time check and the schema share their words, and every metric has a note."""
    rows = schema()["$defs"]
    assert set(vocabulary.LEVELS) == set(judged.LEVELS) == set(rows["claim"]["properties"]["level"]["enum"])
    assert set(vocabulary.VERDICTS) == set(judged.VERDICTS) == set(rows["claim"]["properties"]["verdict"]["enum"])
    assert set(vocabulary.SPLITS) == set(judged.SPLITS) == set(rows["score"]["properties"]["split"]["enum"])
    assert set(judged.METRICS) <= set(vocabulary.METRICS)
    assert list(check._CLAIM) == rows["claim"]["required"]
    assert list(check._SCORE) == rows["score"]["required"]
