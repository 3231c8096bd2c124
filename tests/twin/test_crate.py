"""A crate says in JSON-LD what the recording says of itself."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twin import crate, provenance, recording
from twin.errors import InputError
from twin.protocol import Covariate, Protocol


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A recording with one covariate and two steps in its log."""
    protocol = Protocol({"temperature": Covariate(32.0, "degC", source="bath probe", verbatim="32 C", uncertainty=0.5)})
    tree = recording.from_voltage(np.zeros((1, 5)), 1e3, name="cell", protocol=protocol)
    tree = provenance.log(tree, "read", inputs={"a.abf": "0" * 64})
    tree = provenance.log(tree, "correct junction potential", parameters={"/voltage": {"junction_potential_mv": 14.0}})
    return recording.write(tree, tmp_path / "cell.zarr")


def entities(path: Path) -> dict[str, Any]:
    document = json.loads((path / "ro-crate-metadata.json").read_text())
    return {entity["@id"]: entity for entity in document["@graph"]}


def test_every_covariate_step_and_array_is_an_entity(store: Path, tmp_path: Path) -> None:
    """Value, unit, status and source of a covariate; name, order and inputs of a step; unit of an array."""
    found = entities(crate.export(store, tmp_path / "crate"))
    temperature = found["#covariate-temperature"]
    assert (temperature["value"], temperature["unitText"], temperature["status"]) == (32.0, "degC", "reported")
    assert temperature["description"] == "bath probe" and temperature["marginOfError"] == 0.5
    unreported = found["#covariate-junction_potential"]
    assert unreported["status"] == "unreported" and "value" not in unreported
    assert [found[f"#step-{k}"]["name"] for k in (0, 1)] == ["read", "correct junction potential"]
    assert found["#step-0"]["object"] == [{"@id": f"#input-{'0' * 64}"}]
    assert "14.0" in found["#step-1"]["description"]
    assert found["#array/voltage/voltage"]["unitText"] == "mV"
    assert found["./"]["hasPart"] == [{"@id": "cell.zarr/"}] and found["./"]["mainEntity"] == {"@id": "cell.zarr/"}


def test_every_reference_in_the_crate_leads_somewhere(store: Path, tmp_path: Path) -> None:
    """No entity points at one that is not there."""
    found = entities(crate.export(store, tmp_path / "crate"))

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            return {value["@id"]} if set(value) == {"@id"} else set().union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    pointed = set().union(*(references({k: v for k, v in one.items() if k != "@id"}) for one in found.values()))
    assert {one for one in pointed if not one.startswith("http")} <= set(found)


def test_the_store_in_the_crate_is_the_recording(store: Path, tmp_path: Path) -> None:
    """What is exported opens like the original."""
    path = crate.export(store, tmp_path / "crate")
    assert recording.open(path / "cell.zarr").attrs["name"] == "cell"


def test_an_existing_folder_is_left_alone(store: Path, tmp_path: Path) -> None:
    """Nothing is written into it, and nothing is left beside it."""
    (tmp_path / "crate").mkdir()
    with pytest.raises(InputError, match="exists already"):
        crate.export(store, tmp_path / "crate")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["cell.zarr", "crate"]
    assert not list((tmp_path / "crate").iterdir())
