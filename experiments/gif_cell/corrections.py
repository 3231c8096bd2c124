"""With and without the corrections: the electrode, which was measured, and the junction potential, which was not."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from experiments.gif_cell.predicting import ESCAPE_NAME
from experiments.gif_cell.scoring import Figures
from experiments.spike_fits import coupled_gif, hazards
from twin.report import Section, Table
from twin.report.report import Cell

if TYPE_CHECKING:
    from experiments.gif_cell.experiment import Found

POTENTIALS = ("E_L", "V_r", "V_T_star")


def side_by_side(found: "Found", scored: Figures) -> Section:
    """The escape-noise model on the voltage as recorded and on the compensated one."""
    kernel = found.cell.kernel
    names = {"raw": f"{ESCAPE_NAME}_raw_voltage", "corrected": ESCAPE_NAME}
    fits = {version: one.final.values for version, one in found.escapes.items()}
    rows: list[tuple[Cell, ...]] = [
        (label, *(scored.table["test", names[version], metric].value for version in ("raw", "corrected")))
        for label, metric in (("voltage error, scored (mV)", "rmse_mv"), ("bits per spike, scored", "bits_per_spike"))
    ]
    rows.append(("membrane time constant (ms)", *(fits[one]["C"] / fits[one]["g_L"] for one in ("raw", "corrected"))))
    for name, unit in (
        ("C", "pF"),
        ("g_L", "nS"),
        ("E_L", "mV"),
        ("V_T_star", "mV"),
        ("Delta_V", "mV"),
        ("k_theta", "1"),
    ):
        rows.append((f"{name} ({unit})", fits["raw"][name], fits["corrected"][name]))
    text = (
        "The electrode test gives the kernel of what the amplifier's bridge had left of the electrode: "
        f"{kernel.resistance_mohm:.2f} ± {kernel.resistance_sd_mohm:.2f} MΩ in all, from "
        f"{kernel.kernel_mohm.min():.1f} to {kernel.kernel_mohm.max():.1f} MΩ within its first samples; membrane "
        f"{kernel.membrane_resistance_mohm:.0f} MΩ with {kernel.membrane_tau_ms:.1f} ms at rest. It is small beside "
        "the membrane, and fast: left in, it passes for a membrane of less capacity. Same fits, same keys, same "
        "scoring: each error is against the voltage that the model was fitted to."
    )
    return Section(
        "With and without the electrode", text, table=Table(("quantity", "as recorded", "compensated"), tuple(rows))
    )


def junction(found: "Found") -> Section:
    """What an assumed junction potential would change, and that the predictions do not."""
    values = found.escapes["corrected"].final.values
    rows: list[tuple[Cell, ...]] = [("none", *(values[name] for name in POTENTIALS), _bits(found, values))]
    for assumed in found.settings.junction_mv:
        moved = {name: value - assumed if name in POTENTIALS else value for name, value in values.items()}
        rows.append((f"{assumed:g} mV assumed", *(moved[name] for name in POTENTIALS), _bits(found, moved)))
    text = (
        "Nobody reported the junction potential of this set or the two solutions, so nothing is corrected. Were it as "
        "assumed here, which is usual for potassium gluconate in an ordinary bath, every potential would lie so much "
        "lower. Conductances, time constants, and all predictions of spikes are the same, as the last column shows: "
        "they only know differences of potentials. What changes is whatever compares this cell with another lab's."
    )
    columns = ("junction potential", *(f"{name} (mV)" for name in POTENTIALS), "bits per spike, scored")
    return Section("An assumed junction potential", text, table=Table(columns, tuple(rows)))


def _bits(found: "Found", values: Mapping[str, float]) -> float:
    target = found.cell.raw
    expected = hazards.expected_counts(coupled_gif.ESCAPE, values, target.current_na, target.raster(), target.dt_s)
    return float(np.float64(hazards.bits(found.counts, expected, found.cell.scored_s, found.seed).value))
