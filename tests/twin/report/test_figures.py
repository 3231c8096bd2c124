"""Figures: what is drawn is what was given, and nothing outside the drawing matters or changes."""

import re
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from twin.errors import InputError
from twin.report import figures
from twin.report.canvas import density_per_decade, thinned
from twin.report.style import looks

CURVE = ([1.0, 2.0, 3.0], [0.5, 1.5, 2.5], [1.5, 2.5, 3.5])


def paths(svg: str) -> list[tuple[str, str]]:
    """Data and style of every path."""
    return [
        (element.get("d", ""), element.get("style", ""))
        for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}path")
    ]


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


TIME_MS = np.arange(0.0, 50.0, 0.1)
TRAINS = [np.array([0.1, 0.2]), np.array([])]
METRICS = ["feve", "c2st_accuracy", "rmse_mv", "own_metric"]
MODELS = {"ceiling": 0.9, "twin": 0.7, "GIF": 0.5}
ROWS = [
    {"model": model, "metric": metric, "value": value, "low": value - 0.1, "high": value + 0.1}
    for metric in METRICS
    for model, value in MODELS.items()
]
DRAW = {
    "raster": lambda: figures.raster(TRAINS, {"twin": TRAINS}, 0.0, 1.0, ([0.0, 1.0], [0.0, 5.0], "light", "mW")),
    "trace": lambda: figures.trace(TIME_MS, {"recorded": np.sin(TIME_MS), "circuit": np.cos(TIME_MS)}),
    "interval_histogram": lambda: figures.interval_histogram(
        np.array([5.0, 50.0]), {"twin": np.array([7.0]), "glm": np.array([])}
    ),
    "dose_response": lambda: figures.dose_response(
        [1, 2, 4], {"recorded": CURVE, "twin": CURVE}, "dose", "effect", log_x=True
    ),
    "effect_bars": lambda: figures.effect_bars(["28 °C", "34 °C", "40 °C"], {"twin": CURVE, "circuit": CURVE}),
    "score_strip": lambda: figures.score_strip(ROWS, METRICS, list(MODELS)),
}


@pytest.mark.parametrize("name", DRAW)
def test_figures_are_the_same_bytes_twice_and_stand_alone(name):
    """A figure drawn twice is identical, has text as text and colours of the page, and names no date or address."""
    first, second = DRAW[name](), DRAW[name]()
    assert first == second
    assert words(first.svg) and first.alt.endswith(".")
    assert "currentColor" in first.svg and "var(--" in first.svg
    assert not re.search(r"#0[1-3]0[1-3]0[1-3]|#0a0a0", first.svg), "a placeholder colour was left"
    assert set(re.findall(r"\w+://[^\"'\s<]*", first.svg)) == {"http://www.w3.org/2000/svg"}
    assert "<metadata" not in first.svg and "<style" not in first.svg


def test_settings_of_matplotlib_neither_matter_nor_change():
    """A caller's own style does not reach the figure, and the figure leaves it alone."""
    plain = DRAW["dose_response"]()
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.xmargin": 0.3, "xtick.direction": "in"}):
        before = dict(matplotlib.rcParams)
        assert DRAW["dose_response"]() == plain
        assert dict(matplotlib.rcParams) == before


def test_a_raster_draws_each_spike_once():
    """There are as many ticks as spikes in [start, stop), for the recording and for the model."""
    real = [np.array([-0.1, 0.0, 0.5]), np.array([0.25, 1.0, 3.0])]
    model = [np.array([0.1, 0.2, 0.3, 0.4, 0.5])]
    figure = figures.raster(real, {"twin": model}, 0.0, 1.0)
    ticks = {style: data.count("M") for data, style in paths(figure.svg) if data.count("M") > 1}
    recorded = [n for style, n in ticks.items() if "currentColor" in style]
    twin = [n for style, n in ticks.items() if "--series-1" in style]
    assert (recorded, twin) == ([3], [5])
    assert "recorded: 2 trials, 3 spikes; twin: 1 trial, 5 spikes" in figure.alt


def test_recorded_trials_are_above_the_models():
    """The y position of the recording is above that of every model (SVG counts downwards)."""
    trains = [np.array([0.5]), np.array([0.6])]
    figure = figures.raster(trains, {"twin": trains}, 0.0, 1.0)
    heights = {}
    for data, style in paths(figure.svg):
        if data.count("M") == 2:
            heights["recorded" if "currentColor" in style else "twin"] = float(re.findall(r"M \S+ (\S+)", data)[0])
    assert heights["recorded"] < heights["twin"]


def test_thinning_keeps_every_peak():
    """A spike of one sample among 200,000 survives, as do the ends of the range of each stretch."""
    time_ms = np.arange(200_000) * 0.01
    voltage_mv = np.full(time_ms.shape, -70.0)
    peaks = [3, 77_777, 199_990]
    voltage_mv[peaks] = [10.0, 20.0, 30.0]
    x, y = thinned(time_ms, voltage_mv)
    assert len(x) < 5000 and (np.diff(x) >= 0).all()
    assert set(time_ms[peaks]) <= set(x) and set(y) == {-70.0, 10.0, 20.0, 30.0}


def test_short_traces_are_not_thinned():
    """A trace that fits the page is drawn sample by sample."""
    x, y = thinned(np.arange(100.0), np.arange(100.0) ** 2)
    assert len(x) == 100 and y[99] == 99.0**2


def test_densities_integrate_to_one_over_decades():
    """Ten values evenly in log over two decades have a density of 1/2 per decade, whatever the width of the bins."""
    values = 10.0 ** np.arange(0.1, 2.0, 0.2)
    density = density_per_decade(values, 10.0 ** np.array([0.0, 0.4, 1.0, 2.0]))
    np.testing.assert_allclose(density, [0.5, 0.5, 0.5], rtol=1e-12)


def test_an_interval_histogram_tells_medians_and_counts():
    """Who cannot see the curves is told their medians; the legend has the number of intervals."""
    figure = figures.interval_histogram(np.full(1000, 20.0), {"twin": np.array([2.0, 200.0])})
    assert "recorded 20.0 ms; twin 101 ms" in figure.alt
    assert {"recorded, 1\u202f000 intervals", "twin, 2 intervals"} <= set(words(figure.svg))


@pytest.mark.parametrize("intervals", [[], [0.0, 1.0], [-1.0]])
def test_intervals_have_to_be_positive(intervals):
    """A logarithmic axis has no place for zero; the refusal says what to give."""
    with pytest.raises(InputError, match="positive, in ms"):
        figures.interval_histogram(np.array(intervals, np.float64), {})


def test_curves_have_to_match_their_positions():
    """Two means for three doses are refused with both numbers."""
    with pytest.raises(InputError, match=r"'twin' has \[2, 3, 3\] values .* for 3 doses"):
        figures.dose_response([1, 2, 3], {"twin": ([1, 2], *CURVE[1:])}, "dose", "effect")
    with pytest.raises(InputError, match="no curve"):
        figures.effect_bars(["a"], {})


def test_empty_rasters_and_traces_are_refused():
    """Nothing to draw is an error in words, not an empty picture."""
    with pytest.raises(InputError, match="raster of 0 trials"):
        figures.raster([], {}, 0.0, 1.0)
    with pytest.raises(InputError, match="to 1.0 s is empty"):
        figures.raster([np.array([0.1])], {}, 1.0, 1.0)
    with pytest.raises(InputError, match="no trace"):
        figures.trace(np.arange(3.0), {})
    with pytest.raises(InputError, match="on one clock"):
        figures.trace(np.arange(3.0), {"twin": np.arange(4.0)})


def test_score_strips_take_one_split_at_a_time():
    """Two rows for one model and metric would overprint each other, so they are refused."""
    row = {"model": "twin", "metric": "feve", "value": 0.5, "low": None, "high": None}
    with pytest.raises(InputError, match="two scores of feve; select one split"):
        figures.score_strip([row, row], ["feve"], ["twin"])
    with pytest.raises(InputError, match="no score of rmse_mv"):
        figures.score_strip([row], ["rmse_mv"], ["twin"])


def test_looks_differ_by_more_than_colour():
    """The well-known models keep their colour in every figure, and no two of twelve models look the same."""
    few, many = looks(["twin", "circuit"]), looks(["recorded", "ceiling", "twin", "circuit", *"abcdefgh"])
    assert few["twin"] == many["twin"] and few["circuit"] == many["circuit"]
    assert len(set(many.values())) == 12
    assert few["twin"].colour != few["circuit"].colour
    assert (few["twin"].marker, few["twin"].dashes) != (few["circuit"].marker, few["circuit"].dashes)
