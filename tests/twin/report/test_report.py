"""The machine-readable half: plain numbers, no path of this machine, the same bytes each time."""

import dataclasses
import json

import numpy as np
import pytest

from twin.errors import InputError
from twin.report import Figure, Table, as_dict, to_json
from twin.report.report import portable_command

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">{}</svg>'


def test_json_has_exactly_the_promised_fields(report):
    """report.json is {name, versions, command, seed, claims, scores} and nothing that only the page shows."""
    assert set(json.loads(to_json(report))) == {"name", "versions", "command", "seed", "claims", "scores"}


def test_json_is_sorted(report):
    """The order in which somebody filled a mapping is not in the file."""
    versions = dict(reversed(report.versions.items()))
    assert list(versions) != list(report.versions)
    assert to_json(dataclasses.replace(report, versions=versions)) == to_json(report)


def test_json_reads_back_exactly(report):
    """Every float survives the file to its last bit."""
    value = 0.1 + 0.2
    rows = [dict(report.scores[0], value=value)]
    again = json.loads(to_json(dataclasses.replace(report, scores=rows)))
    assert again["scores"][0]["value"] == value


def test_numbers_of_numpy_become_plain(report):
    """Scalars of numpy are written as the numbers they are."""
    row = dict(report.scores[0], value=np.float32(0.5), low=np.float64(0.25), high=np.float16(0.75), n=np.int64(3))
    plain = as_dict(dataclasses.replace(report, scores=[row]))["scores"][0]
    assert [(plain[key], type(plain[key])) for key in ("value", "low", "high", "n")] == [
        (0.5, float), (0.25, float), (0.75, float), (3, int),
    ]  # fmt: skip


@pytest.mark.parametrize("value", [float("nan"), np.float32("inf"), True, np.array([1.0]), 1j])
def test_what_is_no_finite_number_is_refused(report, value):
    """NaN, infinity, a truth value and an array stop the report with the row and the field."""
    rows = [report.scores[0], dict(report.scores[1], value=value)]
    with pytest.raises(InputError, match="report 'sample', score 2, value is"):
        as_dict(dataclasses.replace(report, scores=rows))


@pytest.mark.parametrize(
    ("typed", "portable"),
    [
        ("/usr/bin/twin demo --out /tmp/x", "twin demo --out OUT"),
        ("twin demo --out=results/a", "twin demo --out=OUT"),
        ("twin train /home/me/config.toml --seed 3", "twin train config.toml --seed 3"),
        ("twin x --data=/data/set --do 'channel_block:na:0.5'", "twin x --data=set --do channel_block:na:0.5"),
        ("twin ljp --bath 'Na 145, Cl 150'", "twin ljp --bath 'Na 145, Cl 150'"),
    ],
)
def test_commands_travel(typed, portable):
    """A command keeps its meaning and loses absolute paths and the name of the output folder."""
    assert portable_command(typed) == portable
    assert portable_command(portable) == portable


def test_a_command_with_an_open_quotation_is_refused():
    """What no shell can read is refused in a sentence."""
    with pytest.raises(InputError, match="cannot be read .*as typed in a shell"):
        portable_command("twin 'demo")


def test_the_place_does_not_change_the_bytes(report):
    """Two runs of one command into two folders give one report.json."""
    here = dataclasses.replace(report, command="twin demo --out here")
    there = dataclasses.replace(report, command="/opt/bin/twin demo --out /tmp/there")
    assert to_json(here) == to_json(there)


def test_tables_are_rectangular():
    """A row with too few cells is refused with its number and the columns."""
    with pytest.raises(InputError, match=r"table row 2 has 1 cells for 2 columns \(a, b\)"):
        Table(("a", "b"), (("x", 1.0), ("y",)))


def test_tables_hold_no_nan():
    """NaN in a table is refused with its place."""
    with pytest.raises(InputError, match="table row 1, column 'b' is nan"):
        Table(("a", "b"), (("x", float("nan")),))


@pytest.mark.parametrize(
    "inside",
    [
        "<script>1</script>",
        '<g onclick="1"/>',
        '<a href="#x"><text>t</text></a>',
        '<use href="https://example.org/x.svg#a"/>',
        '<use xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="file.svg#a"/>',
        '<g style="fill: url(http://example.org/a)"/>',
        "<style>@import 'a.css';</style>",
        '<image width="1"/>',
        "<foreignObject/>",
    ],
)
def test_figures_that_act_or_leave_the_page_are_refused(inside):
    """A drawing may hold neither scripts nor references to another file."""
    with pytest.raises(InputError, match="acts or refers to something outside"):
        Figure(SVG.format(inside), "a drawing")


def test_figures_that_stay_are_accepted():
    """Text that only looks like an attribute or an address is no fault, and references inside the drawing are none."""
    svg = SVG.format('<g id="a"/><use href="#a" style="fill: url(#a)"/><text>onset=3, see http://x</text>')
    assert Figure(svg, "a drawing").svg == svg


@pytest.mark.parametrize(
    ("svg", "alt", "complaint"),
    [
        (SVG.format(""), " ", "no alt text"),
        ("<svg", "a drawing", "cannot be read"),
        ("<p/>", "a drawing", "wanted one <svg>"),
        ("<?xml version='1.0'?>" + SVG.format(""), "a drawing", "nothing before it"),
    ],
)
def test_figures_need_svg_and_alt_text(svg, alt, complaint):
    """A figure is one SVG element, and whoever cannot see it is told what it shows."""
    with pytest.raises(InputError, match=complaint):
        Figure(svg, alt)
