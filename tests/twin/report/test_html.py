"""The page: complete, well-formed, safe, offline, and the same bytes each time."""

import dataclasses
import hashlib
import html
import html.parser
import os
import re
import subprocess
import sys

import pytest

from twin.errors import InputError
from twin.report import MetricNote, Section, Table, figures, render

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(html.parser.HTMLParser):
    """Elements, identifiers, attributes and visible text of a page; refuses tags that do not match."""

    def __init__(self, source: str):
        super().__init__()
        self.open, self.tags, self.ids, self.attributes, self.texts = [], [], [], [], []
        self.feed(source)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


def test_the_page_is_well_formed(report):
    """Tags match, identifiers are unique also between two figures, and every link leads somewhere."""
    page = Page(render(report))
    assert len(page.ids) == len(set(page.ids))
    links = [value for name, value in page.attributes if name == "href"]
    assert links and {link.removeprefix("#") for link in links} <= set(page.ids)
    source = render(report)
    assert set(re.findall(r"url\(#([^)]+)\)", source)) <= set(page.ids)


def test_one_figure_can_stand_twice(report):
    """The parts of a drawing get names of their own in each place, so that none is found in the other."""
    twice = Page(render(dataclasses.replace(report, sections=(report.sections[0], report.sections[0]))))
    assert len(twice.ids) == len(set(twice.ids))


def test_the_page_asks_for_nothing_from_outside(report):
    """No script, no style sheet or font or image from elsewhere, and no address but the name of SVG."""
    source = render(report)
    page = Page(source)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name == "src" or name.startswith("on")]
    assert set(re.findall(r"\w+://[^\"'\s<]*", source)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|@font-face|url\((?!#)", source)


def test_every_claim_is_on_the_page(report):
    """Each claim is there with its level, verdict in words, figure, interval, n, unit, margin and reason."""
    text = Page(render(report)).text
    for wanted in (
        "✓ Pass Firing rate 0.031 [−0.012, 0.074] margin 0.1 n 142 unit trial separation session",
        "L2 Indistinguishable within a stated margin ✗ Fail Indistinguishable told apart 0.610 [≤ 0.660]",
        "○ Not testable New animal one animal only",
        "✓ 1 pass ✗ 1 fail ○ 1 not testable",
    ):
        assert wanted in text


def test_empty_rungs_are_named(report):
    """A rung of the ladder on which nothing is claimed says so, instead of being absent."""
    assert Page(render(report)).text.count("No claim is made here.") == 3


def test_every_score_is_on_the_page(report):
    """Each value is in the row of its model and the column of its metric, with its interval, n and unit."""
    source = render(report)
    table = source[source.index("Test, all") : source.index("What the metrics mean")]
    rows = {
        row.split("</th>")[0]: Page(row_html).text
        for row_html in re.findall(r"<tr.*?</tr>", table, re.DOTALL)
        for row in [Page(row_html).text.strip()]
    }
    flat = " | ".join(rows.values())
    assert "twin ★ best 0.812 [0.771, 0.853] n = 142 unit: trial ★ best 3.14 [3.00, 3.30]" in flat
    assert "circuit 0.500 n = 20 unit: session 4.40 " in flat
    assert "ceiling 0.950" in flat
    assert "Voltage error (mV) ↓ , lower is better n = 142 unit: trial" in flat


def test_a_report_says_what_its_models_are(report):
    """A note of the report replaces the general one, and explains a model that the vocabulary does not have."""
    scores = [dict(report.scores[0], model=model) for model in ("adapted", "own_kernel")]
    notes = {"adapted": "kinetics from the first half", "own_kernel": "two exponentials"}
    page = render(dataclasses.replace(report, scores=scores, sections=(), model_notes=notes))
    assert "kinetics from the first half" in page and "two exponentials" in page
    assert "of which only the readout was fitted" not in page


def test_the_best_value_is_marked_by_the_direction_of_its_metric(report):
    """Higher, lower or nearest decides; a ceiling never wins, and a metric nobody explained has no winner."""

    def winners(scores, **notes):
        source = render(dataclasses.replace(report, scores=scores, sections=(), metric_notes=notes))
        return re.findall(r'<th scope="row">(\w+)</th>\s*<td class="number best">', source)

    def rows(metric, **values):
        return [
            dict(report.scores[0], metric=metric, model=model, value=value, low=None, high=None)
            for model, value in values.items()
        ]

    assert winners(rows("feve", ceiling=0.9, twin=0.5, glm=0.4)) == ["twin"]
    assert winners(rows("rmse_mv", ceiling=0.1, twin=0.5, glm=0.4)) == ["glm"]
    assert winners(rows("c2st_accuracy", twin=0.58, glm=0.45, circuit=0.9)) == ["glm"]
    assert winners(rows("feve", ceiling=0.9, twin=0.5)) == []
    assert winners(rows("unheard_of", twin=0.5, glm=0.4)) == []
    assert winners(rows("unheard_of", twin=0.5, glm=0.4), unheard_of=MetricNote("Unheard of", "A text.", "lower")) == [
        "glm"
    ]
    assert winners(rows("feve", twin=0.5, glm=0.5)) == ["twin", "glm"]


def test_an_unexplained_metric_says_so(report):
    """A metric without a note stays on the page, and the legend admits that nobody explained it."""
    assert "Own metric No explanation was given, so no best value is marked. own_metric" in Page(render(report)).text


def test_untestable_claims_are_listed_with_their_reason(report):
    """The reader finds in one place what could not be tested and why."""
    assert "L3, New animal. one animal only" in Page(render(report)).text
    text = Page(render(dataclasses.replace(report, claims=report.claims[:1]))).text
    assert "Every claim could be tested." in text


def test_provenance_is_on_the_page(report):
    """Versions, seed, command, inputs with hashes and, where it is given, the time are there."""
    text = Page(render(dataclasses.replace(report, created="22 November 2026"))).text
    for wanted in (
        "neurotwin 0.1.0",
        "Seed 7",
        "twin judge --real real.zarr --out OUT",
        "real.zarr sha256:0123abcd",
        "Made 22 November 2026",
    ):
        assert wanted in text
    assert "Made" not in Page(render(report)).texts


def test_sections_stand_in_their_order(report):
    """Sections, their paragraphs, items, tables, figures and captions appear in the caller's order."""
    text = Page(render(report)).text
    places = [
        text.rindex(part)
        for part in (
            "First paragraph.",
            "Second paragraph.",
            "Each row is a trial",
            "an item",
            "Bars are means",
            "−61.2",
        )
    ]
    assert places == sorted(places)


HOSTILE = '<script>alert("1")</script> & {{ 7*7 }} </svg> \' "'


def test_hostile_text_is_only_text(report):
    """Markup in any text, in rows, tables, figures' labels and provenance, is shown and never obeyed."""
    drawing = figures.dose_response([1, 2], {HOSTILE: ([1, 2], [0, 1], [2, 3])}, HOSTILE, "$\\bad{ effect $")
    section = Section(HOSTILE, HOSTILE, (HOSTILE,), Table((HOSTILE, "b"), ((HOSTILE, HOSTILE),), HOSTILE), drawing)
    hostile = dataclasses.replace(
        report,
        title=HOSTILE,
        summary=HOSTILE,
        claims=[dict(report.claims[2], name=HOSTILE, reason=HOSTILE, unit=HOSTILE, separation=HOSTILE)],
        scores=[dict(report.scores[0], model=HOSTILE, condition=HOSTILE, unit=HOSTILE)],
        sections=(section,),
        versions={HOSTILE: HOSTILE},
        inputs={HOSTILE: HOSTILE},
        created=HOSTILE,
    )
    page = Page(render(hostile))
    assert "script" not in page.tags
    assert page.text.count('<script>alert("1")</script> & {{ 7*7 }}') > 15
    assert "49" not in page.text


def test_empty_reports_have_a_page(report):
    """Without claims, scores or sections the page says so in words."""
    text = Page(render(dataclasses.replace(report, claims=(), scores=(), sections=()))).text
    assert "No claim is made in this report." in text and "No model was scored." in text


def test_a_broken_row_makes_no_page(report):
    """The page is refused for the same rows as report.json."""
    with pytest.raises(InputError, match="claim 1 has level"):
        render(dataclasses.replace(report, claims=[dict(report.claims[0], level="L9")]))


SCRIPT = """
import hashlib, numpy as np
from twin.report import Report, Section, figures, render, to_json
trains = [np.array([0.1, 0.25]), np.array([0.4])]
curve = ([1.0, 2.0], [0.5, 1.0], [1.5, 3.0])
drawings = [
    figures.raster(trains, {"twin": trains}, 0.0, 1.0),
    figures.effect_bars(["a", "b"], {"twin": curve, "circuit": curve}),
    figures.dose_response([1.0, 2.0], {"recorded": curve, "twin": curve}, "x", "y"),
]
score = dict(split="test", condition=None, model="twin", metric="feve", value=0.1, low=0, high=None, n=3, unit="day")
report = Report("a", "b", "c", {"y": "1", "x": "2"}, "twin demo", 1, (), [score, dict(score, model="glm", n=4)],
                tuple(Section(str(index), figure=drawing) for index, drawing in enumerate(drawings)))
print(hashlib.sha256((render(report) + to_json(report)).encode()).hexdigest())
"""


def test_the_same_report_gives_the_same_bytes_in_another_process():
    """Page, figures and report.json do not depend on the process, the order of a hash table, or the clock."""
    digests = set()
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=True
        )
        digests.add(run.stdout.strip())
    assert len(digests) == 1 and len(digests.pop()) == hashlib.sha256().digest_size * 2


def test_importing_the_report_is_light():
    """matplotlib, jinja2 and xarray are loaded when a page is made, not when the package is imported."""
    heavy = {"matplotlib", "jinja2", "xarray", "jax"}
    code = f"import sys, twin.report, twin.report.figures; print({heavy} & set(sys.modules))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert run.stdout.strip() == "set()"


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" (WCAG 2.2, definition of relative luminance)."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2): black on white 21, a colour on itself 1."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_can_be_read(report, scheme):
    """Text has a contrast of 4.5 to its ground and curves one of 3, on light pages and on dark ones (WCAG 2.2)."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    block = re.findall(r":root \{(.*?)\}", render(report), re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", block))
    for text, ground in [("ink", "card"), ("ink", "page"), ("muted", "card"), ("muted", "page"), ("link", "card")]:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for verdict in ("pass", "fail", "open"):
        assert contrast(colours[verdict], colours[f"{verdict}-back"]) >= 4.5, verdict
    for series in range(1, 7):
        assert contrast(colours[f"series-{series}"], colours["card"]) >= 3.0, series
