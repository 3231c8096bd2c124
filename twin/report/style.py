"""One look for every figure: matplotlib settings that stay inside a `with`, colours that follow the page, clean SVG.

Colours are placeholders while matplotlib draws. In the SVG they become CSS variables of the page, so that one drawing
is right on a light page, on a dark one and in print; each has a fallback for an SVG that stands alone.
"""

import contextlib
import dataclasses
import io
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from twin.report.vocabulary import CEILING

if TYPE_CHECKING:
    import matplotlib.figure

WIDTH_IN = 6.4

INK, MUTED, GRID = "#010101", "#020202", "#030303"
_SERIES = tuple(f"#0a0a0{index}" for index in range(1, 7))
# Okabe & Ito's colours for colour-blind readers, darkened to a contrast of 3:1 on white; dark pages have lighter ones.
_SERIES_ON_WHITE = ("#0072b2", "#d55e00", "#00875f", "#b0578d", "#c08000", "#3a9bdc")
_CSS = {INK: "currentColor", MUTED: "var(--muted, #5c6470)", GRID: "var(--grid, #d9dde3)"} | {
    placeholder: f"var(--series-{index}, {colour})"
    for index, (placeholder, colour) in enumerate(zip(_SERIES, _SERIES_ON_WHITE, strict=True), start=1)
}

RECORDED = "recorded"
_FIXED = {"twin": 0, "circuit": 1, "surrogate": 2, "adapted": 3, "from_scratch": 4}
_MARKERS = ("o", "s", "^", "D", "v", "P")
_DASHES: tuple[tuple[int, tuple[float, ...]], ...] = (
    (0, ()),
    (0, (5.0, 1.5)),
    (0, (1.5, 1.2)),
    (0, (5.0, 1.5, 1.2, 1.5)),
)


@dataclasses.dataclass(frozen=True)
class Look:
    """How one model is drawn; colour is never the only difference between two of them."""

    colour: str
    marker: str
    dashes: tuple[int, tuple[float, ...]]


_IN_INK = {RECORDED: Look(INK, "o", _DASHES[0]), CEILING: Look(INK, "D", _DASHES[1])}
_SETTINGS: dict[Any, object] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.prop_cycle": "cycler('color', ['#010101'])",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9,
    "figure.constrained_layout.hspace": 0.06,
    "figure.constrained_layout.wspace": 0.08,
    "figure.facecolor": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "lines.markersize": 5,
    "lines.solid_capstyle": "butt",
    "path.simplify": False,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "neurotwin",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}


def looks(models: Sequence[str]) -> dict[str, Look]:
    """A look for each model: the same for the well-known ones in every figure, the page's ink for what was recorded."""
    taken = {_FIXED[model] for model in models if model in _FIXED}
    free = [index for index in range(len(_SERIES)) if index not in taken] or list(range(len(_SERIES)))
    others = [model for model in models if model not in _FIXED and model not in _IN_INK]
    chosen = {}
    for model in models:
        if model in _IN_INK:
            chosen[model] = _IN_INK[model]
        elif model in _FIXED:
            chosen[model] = _series_look(_FIXED[model], 0)
        else:
            n_rounds, place = divmod(others.index(model), len(free))
            chosen[model] = _series_look(free[place], n_rounds)
    return chosen


def _series_look(index: int, n_rounds: int) -> Look:
    """A series; when all colours are in use, another round of them with other dashes and markers."""
    return Look(
        _SERIES[index], _MARKERS[(index + n_rounds) % len(_MARKERS)], _DASHES[(index + n_rounds) % len(_DASHES)]
    )


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Draw in this project's style; the caller's own settings of matplotlib neither matter nor change."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def to_svg(canvas: "matplotlib.figure.Figure") -> str:
    """The SVG element of a drawing: text as text, no date, no address, the same bytes each time."""
    buffer = io.BytesIO()
    canvas.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _clean(buffer.getvalue().decode("utf-8"))


def _clean(svg: str) -> str:
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", svg, flags=re.DOTALL)  # its rules would reach the page
    head, rest = svg.split(">", 1)
    head = re.sub(r' (xmlns:xlink|width|height)="[^"]*"', "", head)
    svg = f'{head} style="stroke-linejoin: round; stroke-linecap: butt">{rest}'.replace(" xlink:href=", " href=")
    svg = svg.replace("'DejaVu Sans', sans-serif", "system-ui, sans-serif")
    svg = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), svg)  # a hundredth of a point
    for placeholder, css in _CSS.items():
        svg = svg.replace(placeholder, css)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    return re.sub(r'(<\w+) id="([^"]*)"', lambda tag: tag[0] if tag[2] in used else tag[1], svg)
