"""How training goes: a learning curve as a table, and as a picture."""

import dataclasses
from pathlib import Path

from surrogate import files

COLUMNS = ("step", "train_loss", "validation_loss", "validation_bits")


@dataclasses.dataclass(frozen=True)
class Look:
    """One look at the validation part.

    Attributes:
        step: steps done.
        train_loss: mean objective over the steps since the last look.
        validation_loss: negative log-likelihood of the averaged weights, nats for each response; NaN without the part.
        validation_bits: gain over each unit's mean, bits for each response.
    """

    step: int
    train_loss: float
    validation_loss: float
    validation_bits: float


def write_curve(curve: list[Look], folder: Path) -> None:
    """`curve.csv` and `curve.png` of a run."""
    rows = [",".join(COLUMNS), *(",".join(str(getattr(look, name)) for name in COLUMNS) for look in curve)]
    files.replace_file(folder / "curve.csv", lambda path: _write_text(path, "\n".join(rows) + "\n"))
    files.replace_file(folder / "curve.png", lambda path: _draw(curve, path))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _draw(curve: list[Look], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps = [look.step for look in curve]
    left.plot(steps, [look.train_loss for look in curve], label="training objective")
    left.plot(steps, [look.validation_loss for look in curve], label="validation")
    left.set(xlabel="step", ylabel="loss (nats per response)")
    left.legend(frameon=False)
    right.plot(steps, [look.validation_bits for look in curve], color="C1")
    right.axhline(0.0, color="0.7", linewidth=0.8)
    right.set(xlabel="step", ylabel="gain over each unit's mean\n(bits per response)")
    figure.savefig(path, format="png", dpi=120)
