"""A Brian2 script that runs a fitted cell with Brian2 alone."""

import re
from collections.abc import Mapping

from biophys.models.model import NeuronModel

STIMULUS = "stimulus.npy"

_TEMPLATE = '''"""{title}: fitted parameters and the currents of the recording, run by Brian2 alone.

Needs brian2 and numpy, and {stimulus} beside this file: the currents (sweep, time) in nA, one value for each step.
Prints the spikes as lines "sweep time_s", and writes voltage.npy, (sweep, time) in mV.
"""

from pathlib import Path

import brian2
import numpy as np

FOLDER = Path(__file__).parent
DT_S = {dt_s!r}
SETTLE_STEPS = {settle_steps}  # the first current is held for so long before the first sample

EQUATIONS = """
{equations}
"""

# in SI units
PARAMETERS = {{
{parameters}
}}
INITIAL = {initial}


def main() -> None:
    current_na = np.load(FOLDER / "{stimulus}")
    current_na = np.concatenate([np.repeat(current_na[:, :1], SETTLE_STEPS, axis=1), current_na], axis=1)
    dt = DT_S * brian2.second
    injected = brian2.TimedArray(current_na.T * 1e-9 * brian2.amp, dt=dt)
    cells = brian2.NeuronGroup(
        len(current_na),
        EQUATIONS,
        threshold={threshold!r},
        reset={reset!r},
        refractory={refractory!r},
        method={method!r},
        dt=dt,
        namespace={{"injected": injected}},
    )
    for name, value in PARAMETERS.items():
        cells.variables[name].set_value(value)
    for name, expression in INITIAL.items():
        setattr(cells, name, expression)
    spikes = brian2.SpikeMonitor(cells) if {threshold!r} else None
    voltage = brian2.StateMonitor(cells, "{voltage}", record=True)
    network = brian2.Network(cells, voltage, *([] if spikes is None else [spikes]))
    network.run(current_na.shape[1] * dt, namespace={{}})
    np.save(FOLDER / "voltage.npy", 1e3 * np.asarray(getattr(voltage, "{voltage}_"))[:, SETTLE_STEPS:])
    if spikes is not None:
        for sweep, time_s in zip(spikes.i, spikes.t_ - SETTLE_STEPS * DT_S):
            print(sweep, f"{{time_s:.6f}}")


if __name__ == "__main__":
    main()
'''


def brian2_script(model: NeuronModel, values: Mapping[str, float], dt_s: float, settle_steps: int = 0) -> str:
    """The text of the script.

    Args:
        model: that was fitted.
        values: parameter -> value in its unit; the model's own for the others.
        dt_s: step of the fit, s.
        settle_steps: how many steps the first current is held before the first sample.
    """
    lines = []
    for parameter in model.parameters:
        value = float(values.get(parameter.name, parameter.value))
        lines.append(f"    {parameter.name!r}: {value * parameter.scale!r},  # {value:.6g} {parameter.unit_text}")
    declared = re.compile(rf"^[ \t]*{re.escape(model.current)}[ \t]*:.*$", re.MULTILINE)
    return _TEMPLATE.format(
        title=model.title,
        stimulus=STIMULUS,
        dt_s=dt_s,
        settle_steps=settle_steps,
        equations=declared.sub(f"{model.current} = injected(t, i) : amp", model.equations).strip(),
        parameters="\n".join(lines),
        initial=dict(model.initial),
        threshold=model.threshold or None,
        reset=(model.reset or None) if model.threshold else None,
        refractory=model.refractory if model.threshold else False,
        method=model.method,
        voltage=model.voltage,
    )
