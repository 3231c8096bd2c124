"""What an NWB file states about how it was made, as covariates.

Numbers of the format have the format's units (volts, amperes, ohms, farads). Texts are read where they say one thing
only; a junction potential in a comment is kept in its own words, because its sign convention is not stated.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from twin.protocol import Covariate
from twin.readers import quantities
from twin.readers.quantities import Quantity, convert

# Attribute of a time series -> covariate, the format's unit, the covariate's unit.
_SERIES = {
    "bias_current": ("bias_current", "A", "nA"),
    "bridge_balance": ("bridge_balance", "Ohm", "MOhm"),
    "capacitance_compensation": ("capacitance_compensation", "F", "pF"),
    "capacitance_fast": ("fast_capacitance_compensation", "F", "pF"),
    "capacitance_slow": ("slow_capacitance_compensation", "F", "pF"),
    "resistance_comp_bandwidth": ("series_resistance_compensation_bandwidth", "Hz", "Hz"),
    "resistance_comp_correction": ("series_resistance_compensation", "%", "%"),
    "resistance_comp_prediction": ("series_resistance_prediction", "%", "%"),
    "whole_cell_capacitance_comp": ("whole_cell_capacitance_compensation", "F", "pF"),
    "whole_cell_series_resistance_comp": ("whole_cell_series_resistance_compensation", "Ohm", "MOhm"),
    "gain": ("amplifier_gain", "1", "1"),
}
_SESSION = {
    "identifier": "identifier", "session_id": "session_id", "session_description": "session_description",
    "experiment_description": "experiment_description", "lab": "lab", "institution": "institution",
    "experimenter": "experimenter", "notes": "notes", "pharmacology": "pharmacology", "protocol": "stimulus_protocol",
    "stimulus_notes": "stimulus_notes", "slices": "slices", "surgery": "surgery", "virus": "virus",
    "data_collection": "data_collection", "source_script": "source_script", "keywords": "keywords",
    "related_publications": "related_publications",
}  # fmt: skip
_SUBJECT = {"species": "species", "sex": "sex", "genotype": "genotype", "subject_id": "subject", "strain": "strain",
            "weight": "weight", "description": "subject_description"}  # fmt: skip
_PLAUSIBLE_MOHM = (0.1, 1e5)  # a bare number is in ohms by the format; many writers mean megaohms, and are not believed
_OTHER_RESISTANCES = re.compile(r"series|access|seal|input|membrane", re.IGNORECASE)


def of_series(series: Any, source: str) -> dict[str, Covariate]:
    """The amplifier settings and descriptions of one intracellular series, its electrode's included."""
    facts = {}
    for attribute, (name, unit, kept) in _SERIES.items():
        value = getattr(series, attribute, None)
        if value is not None and np.ndim(value) == 0 and np.isfinite(float(value)):
            facts[name] = Covariate(convert(float(value), unit, kept), kept, "reported", f"{attribute} of {source}")
    for attribute in ("stimulus_description", "description", "comments"):
        text = text_of(getattr(series, attribute, None))
        if text and text not in ("no description", "no comments"):
            facts[attribute] = quantities.words(text, f"{attribute} of {source}")
            facts |= junction_potential(text, f"{attribute} of {source}")
    return facts | (of_electrode(series.electrode) if getattr(series, "electrode", None) is not None else {})


def of_electrode(electrode: Any) -> dict[str, Covariate]:
    """What is known of one intracellular electrode, which is mostly free text."""
    source = f"of electrode {electrode.name!r}"
    facts = {}
    texts = {"description": "electrode_description", "location": "recording_site", "slice": "slice", "cell_id": "cell"}
    for attribute, name in texts.items():
        if text := text_of(getattr(electrode, attribute, None)):
            facts[name] = quantities.words(text, f"{attribute} {source}")
    ohms = {
        "resistance": "electrode_resistance",
        "seal": "seal_resistance",
        "initial_access_resistance": "series_resistance",
    }
    for attribute, name in ohms.items():
        if text := text_of(getattr(electrode, attribute, None)):
            facts[name] = quantities.covariate(text, "MOhm", f"{attribute} {source}", _resistance(text))
    if text := text_of(electrode.filtering):
        low_pass = None if re.search("high|band|notch", text, re.IGNORECASE) else quantities.find(text, "Hz", "")
        facts["low_pass_filter"] = quantities.covariate(text, "Hz", f"filtering {source}", low_pass)
    description = text_of(electrode.description)
    if "electrode_resistance" not in facts and not _OTHER_RESISTANCES.search(description):
        if found := quantities.find(description, "MOhm", "pipette|electrode|resistance"):
            facts["electrode_resistance"] = quantities.covariate(description, "MOhm", f"description {source}", found)
    facts |= junction_potential(description, f"description {source}")
    if getattr(electrode, "device", None) is not None:
        device = electrode.device
        parts = [text_of(getattr(device, part, None)) for part in ("description", "manufacturer", "name")]
        facts["amplifier"] = quantities.words("; ".join(part for part in parts if part), f"device {source}")
    return facts


def _resistance(text: str) -> Quantity | None:
    found = quantities.parse(text, "MOhm", bare_unit="Ohm")
    return found if found and _PLAUSIBLE_MOHM[0] <= found.value <= _PLAUSIBLE_MOHM[1] else None


def junction_potential(text: str, source: str) -> dict[str, Covariate]:
    """A junction potential in free text, in its own words: neither its sign nor whether it was applied is certain."""
    clauses = [
        part.strip()
        for part in re.split(r"[;\n]|,(?=\S)", text)
        if re.search(r"junction potential|\bLJP\b", part, re.IGNORECASE)
    ]
    if not clauses:
        return {}
    why = "; the sign convention is not stated"
    return {"junction_potential": Covariate(None, "mV", "unreported", source + why, verbatim="; ".join(clauses))}


def of_session(nwb: Any, file_name: str) -> dict[str, Covariate]:
    """The fields of the file that hold for all of it: session, subject, temperature."""
    facts = {}
    for attribute, name in _SESSION.items():
        if text := text_of(getattr(nwb, attribute, None)):
            facts[name] = quantities.words(text, f"{attribute} of {file_name}")
    facts["session_start"] = Covariate(
        nwb.session_start_time.isoformat(), "1", "reported", f"session_start_time of {file_name}"
    )
    for name in ("notes", "pharmacology", "stimulus_notes", "slices", "experiment_description"):
        if name in facts:
            facts |= junction_potential(facts[name].verbatim, facts[name].source)
    return facts | _subject(nwb.subject, file_name) | _temperature(facts)


def _subject(subject: Any, file_name: str) -> dict[str, Covariate]:
    if subject is None:
        return {}
    facts = {}
    for attribute, name in _SUBJECT.items():
        if text := text_of(getattr(subject, attribute, None)):
            facts[name] = quantities.words(text, f"subject/{attribute} of {file_name}")
    if text := text_of(subject.age):
        facts["age"] = quantities.covariate(text, "day", f"subject/age of {file_name}", quantities.age(text))
    if subject.date_of_birth is not None:
        facts["date_of_birth"] = Covariate(
            subject.date_of_birth.isoformat(), "1", "reported", f"subject of {file_name}"
        )
    return facts


def _temperature(facts: dict[str, Covariate]) -> dict[str, Covariate]:
    """The temperature that the texts agree on; their words where they do not."""
    texts = {
        one.source: one.verbatim for one in facts.values() if re.search("temperature", one.verbatim, re.IGNORECASE)
    }
    found = {source: quantities.find(text, "degC", "temperature") for source, text in texts.items()}
    known = {source: quantity for source, quantity in found.items() if quantity is not None}
    if len(set(known.values())) == 1:
        source, quantity = next(iter(known.items()))
        return {"temperature": quantities.covariate(_clauses(texts[source]), "degC", source, quantity)}
    words = "; ".join(_clauses(text) for text in texts.values())
    return {"temperature": Covariate(None, "degC", "unreported", ", ".join(texts), verbatim=words)} if texts else {}


def _clauses(text: str) -> str:
    parts = re.split(r"[;,]\s|\.\s|\n", text)
    return "; ".join(part.strip() for part in parts if re.search("temperature", part, re.IGNORECASE))


def text_of(value: Any) -> str:
    """A field as text: several are joined, and JSON that holds nothing ("{}", all null) is no text."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace").strip()
    if isinstance(value, str):
        return "" if _is_empty_json(value) else value.strip()
    if isinstance(value, list | tuple | np.ndarray) or hasattr(value, "shape"):
        return "; ".join(text_of(one) for one in np.asarray(value).ravel().tolist())
    return str(value)


def _is_empty_json(text: str) -> bool:
    if not text.strip().startswith("{"):
        return False
    try:
        return all(value in (None, "", [], {}) for value in json.loads(text).values())
    except ValueError:
        return False


def extra_columns(table: Any, rows: int) -> Iterator[tuple[str, np.ndarray, str]]:
    """Name, values and description of every plain column of a table: one number or text in each row."""
    for name in getattr(table, "colnames", ()):
        column = table[name]
        data = getattr(column, "data", column)
        array = np.asarray(data[()] if hasattr(data, "id") else data)
        if array.shape != (rows,) or array.dtype.kind not in "iufbSUO":
            continue
        if array.dtype.kind in "SO":
            if not all(isinstance(one, str | bytes) for one in array):
                continue
            array = np.array([one.decode() if isinstance(one, bytes) else one for one in array], dtype=object)
        yield str(name), array, text_of(getattr(column, "description", ""))
