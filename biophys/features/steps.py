"""The features of a response to a current step that are worth fitting, by eFEL's names, with their units.

A value that eFEL gives for each action potential is averaged over the response.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Kind:
    """A feature of eFEL.

    Attributes:
        unit: of its value; "1" for a pure number.
        meaning: in a few words.
        spikes: least number of action potentials within the step without which it does not exist.
        hyperpolarising: whether it only exists for a negative step.
    """

    unit: str
    meaning: str
    spikes: int = 0
    hyperpolarising: bool = False


# eFEL's name -> what it is.
STEP_FEATURES: dict[str, Kind] = {
    "voltage_base": Kind("mV", "voltage before the step"),
    "steady_state_voltage_stimend": Kind("mV", "voltage in the last tenth of the step"),
    "voltage_deflection_vb_ssse": Kind("mV", "steady state minus base"),
    "ohmic_input_resistance_vb_ssse": Kind("MOhm", "steady deflection over current"),
    "minimum_voltage": Kind("mV", "lowest voltage within the step"),
    "time_constant": Kind("ms", "membrane time constant", hyperpolarising=True),
    "sag_amplitude": Kind("mV", "steady state minus lowest voltage", hyperpolarising=True),
    "sag_ratio1": Kind("1", "sag over the largest deflection", hyperpolarising=True),
    "spike_count_stimint": Kind("1", "action potentials within the step"),
    "mean_frequency": Kind("Hz", "action potentials over the time until the last one", spikes=1),
    "time_to_first_spike": Kind("ms", "peak of the first action potential after the onset", spikes=1),
    "time_to_last_spike": Kind("ms", "peak of the last action potential after the onset", spikes=1),
    "inv_first_ISI": Kind("Hz", "one over the first interval", spikes=2),
    "inv_last_ISI": Kind("Hz", "one over the last interval", spikes=2),
    "ISI_CV": Kind("1", "coefficient of variation of the intervals", spikes=3),
    "adaptation_index2": Kind("1", "mean relative lengthening of the intervals", spikes=4),
    "AP_amplitude": Kind("mV", "peak minus threshold of the action potentials", spikes=1),
    "AP_begin_voltage": Kind("mV", "threshold of the action potentials, by their slope", spikes=1),
    "peak_voltage": Kind("mV", "peak of the action potentials", spikes=1),
    "AP_duration_half_width": Kind("ms", "width at half the amplitude", spikes=1),
    "AP_rise_rate": Kind("mV/ms", "slope from threshold to peak", spikes=1),
    "AP_fall_rate": Kind("mV/ms", "slope from peak to the end", spikes=1),
    "min_AHP_values": Kind("mV", "lowest voltage after the action potentials", spikes=2),
    "AHP_depth": Kind("mV", "lowest voltage after an action potential minus base", spikes=1),
}
