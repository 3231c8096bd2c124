"""Export of a recording as an RO-Crate: the store, and what it is in JSON-LD that others' tools can read.

Terms: RO-Crate 1.1 (schema.org) for files, actions and properties; for the arrays the fields of Croissant
(`http://mlcommons.org/croissant/`), on which FAIR2 builds. A covariate that is unreported is exported as one, with the
status and no value.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import xarray as xr
from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from twin import recording
from twin.errors import InputError

CROISSANT = {"cr": "http://mlcommons.org/croissant/"}
PROJECT = "#neurotwin"


def export(path: str | Path, out: str | Path) -> Path:
    """Write a crate with the recording at `path` to the new folder `out`; all of it or nothing.

    The store's files are linked where the disk allows it and copied otherwise.

    Raises:
        InputError: there is no recording at `path`, or `out` exists.
    """
    path, out = Path(path), Path(out)
    tree = recording.open(path)
    if out.exists():
        raise InputError(f"{out}: exists already; give another name with --out.")
    out.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        described(tree, path.name).write(scratch / "crate")
        shutil.copytree(path, scratch / "crate" / path.name, copy_function=_link_or_copy)
        (scratch / "crate").rename(out)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return out


def described(tree: xr.DataTree, store: str) -> ROCrate:
    """What a recording says of itself, as a crate without the data; `store` is the name of its folder there."""
    crate = ROCrate()
    crate.metadata.extra_contexts.append(CROISSANT)
    crate.name = f"Recording {tree.attrs['name']}"
    crate.description = f"A neural recording with its protocol and the log of what was done to it ({store}, zarr v3)."
    properties = {
        "name": tree.attrs["name"],
        "encodingFormat": "application/zarr",
        "version": tree.attrs["schema_version"],
    }
    data = crate.add(_Folder(crate, f"{store}/", properties | {"@type": "Dataset"}))
    crate.root_dataset.append_to("hasPart", data)
    crate.mainEntity = data
    for entity in [*_covariates(crate, tree), *_fields(crate, tree)]:
        crate.add(entity)
        data.append_to("variableMeasured" if "cr:Field" in entity.type else "additionalProperty", entity)
    _actions(crate, tree, data)
    return crate


class _Folder(ContextEntity):
    """The store, which is put into the crate by hand: an entity that neither renames nor copies anything."""

    def format_id(self, identifier: str) -> str:
        return identifier


def _covariates(crate: ROCrate, tree: xr.DataTree) -> list[ContextEntity]:
    made = []
    for name, covariate in recording.protocol_of(tree).items():
        facts = {"value": covariate.value, "unitText": covariate.unit, "description": covariate.source or None}
        facts |= {"alternateName": covariate.verbatim or None, "marginOfError": covariate.uncertainty}
        known = {key: value for key, value in facts.items() if value is not None}
        known |= {"@type": "PropertyValue", "name": name, "status": covariate.status}
        made.append(ContextEntity(crate, f"#covariate-{name}", known))
    return made


def _fields(crate: ROCrate, tree: xr.DataTree) -> list[ContextEntity]:
    made = []
    for node in tree.subtree:
        for name, variable in node.data_vars.items():
            shape = ", ".join(f"{dim}: {size}" for dim, size in variable.sizes.items())
            facts = {
                "@type": ["PropertyValue", "cr:Field"],
                "name": f"{node.path}/{name}",
                "cr:dataType": str(variable.dtype),
            }
            facts |= {"unitText": variable.attrs.get("units", "1"), "description": f"array ({shape})"}
            made.append(ContextEntity(crate, f"#array{node.path}/{name}", facts))
    return made


def _actions(crate: ROCrate, tree: xr.DataTree, data: Any) -> None:
    """One action a step of the log, in its order; each file that went in is an entity with its hash."""
    steps = []
    for number, entry in enumerate(tree.attrs["provenance"]):
        software = {"@type": "SoftwareApplication", "name": "neurotwin", "version": entry["versions"]["neurotwin"]}
        software |= {"softwareRequirements": [f"{name} {version}" for name, version in entry["versions"].items()]}
        instrument = crate.add(ContextEntity(crate, f"{PROJECT}-{number}", software))
        used = [
            crate.add(
                ContextEntity(crate, f"#input-{digest}", {"@type": "CreativeWork", "name": name, "sha256": digest})
            )
            for name, digest in entry["inputs"].items()
        ]
        facts = {"@type": "CreateAction", "name": entry["step"], "position": number}
        facts |= {"description": "; ".join(f"{name}: {value}" for name, value in entry["parameters"].items())}
        action = crate.add(ContextEntity(crate, f"#step-{number}", facts))
        action["instrument"], action["result"] = instrument, data
        if used:
            action["object"] = used
        steps.append(action)
    if steps:
        crate.root_dataset["mentions"] = steps


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
