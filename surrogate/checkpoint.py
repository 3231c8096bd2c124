"""A trained surrogate as one folder, which loads on any number of devices.

| file | holds |
|---|---|
| `checkpoint.json` | configuration, vocabulary (with the hash of each recording and the validity envelope), split, |
|   | metric protocol and its hash, versions, how far training came, and the hash of the weights |
| `weights.npz` | the weights by name, float32 |
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from surrogate import files
from surrogate.config import Config, from_document
from surrogate.vocabulary import Vocabulary
from surrogate.weights import Structure, Weights, structure_of
from twin import provenance
from twin.errors import InputError
from twin.split import Parts, Segment

FORMAT = 3
KIND = "population"


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """What a folder holds.

    Attributes:
        config: of the surrogate.
        vocabulary: what it knows by name, and the range of what it saw.
        weights: by name.
        parts: which windows of each session were for what.
        trained: plain values: steps, scores, what it started from.
    """

    config: Config
    vocabulary: Vocabulary
    weights: Weights
    parts: Mapping[str, Parts]
    trained: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def structure(self) -> Structure:
        """Of the model, without computing any weight."""
        return structure_of(self.config, self.vocabulary)


def metric_protocol(config: Config) -> dict[str, Any]:
    """What the scores of this surrogate mean, with a hash: scores under different protocols are not pooled."""
    told = {
        "log_likelihood": "nats for each response, every constant included, mean over scored responses",
        "null": "each unit's mean (and spread) over the training part",
        "window_s": config.data.window_s,
        "context_windows": config.data.burn_in,
        "inputs": dataclasses.asdict(config.inputs),
        "likelihood": config.model.head,
    }
    return told | {"hash": hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()}


def save(checkpoint: Checkpoint, path: str | Path) -> Path:
    """Write a checkpoint, in the place of one that is there only when it is complete.

    Raises:
        NeurotwinError: the disk is full, or fails; what was at `path` is still there.
    """
    path = Path(path)
    document = {
        "format": FORMAT,
        "kind": KIND,
        "versions": provenance.versions(),
        "config": checkpoint.config.to_json(),
        "vocabulary": checkpoint.vocabulary.to_json(),
        "parts": {name: parts.to_json() for name, parts in checkpoint.parts.items()},
        "metric_protocol": metric_protocol(checkpoint.config),
        "trained": dict(checkpoint.trained),
    }

    def write(folder: Path) -> None:
        weights = {name: np.asarray(value) for name, value in checkpoint.weights.items()}
        files.write_arrays(folder / "weights.npz", weights)
        told = document | {"weights_sha256": provenance.file_hash(folder / "weights.npz")}
        (folder / "checkpoint.json").write_text(json.dumps(told, indent=1), encoding="utf-8")

    files.replace_folder(path, write)
    return path


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        InputError: there is none at `path`, it is of another format or kind, it is damaged, or its weights are not
            those of its configuration.
    """
    path = files.recovered(Path(path))
    document = describe(path)
    try:
        config, vocabulary = from_document(document["config"], str(path)), Vocabulary.from_json(document["vocabulary"])
        parts = {
            name: Parts(**{part: tuple(Segment(*one) for one in found) for part, found in told.items()})
            for name, told in document["parts"].items()
        }
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: its checkpoint.json lacks {error}; restore the folder from a copy.") from error
    if provenance.file_hash(path / "weights.npz") != document["weights_sha256"]:
        raise InputError(f"{path}: weights.npz is not the file that was saved with it; restore it from a copy.")
    weights = files.read_arrays(path / "weights.npz", "weights")
    made = Checkpoint(config, vocabulary, weights, parts, document["trained"])
    wanted = set(made.structure.names)
    if wanted != set(weights):
        odd = ", ".join(sorted(wanted ^ set(weights))[:3])
        raise InputError(
            f"{path}: its weights are not those of this version's model (they differ in {odd}); it was written by "
            f"neurotwin {document['versions'].get('neurotwin')}, so read it with that version or train anew."
        )
    return made


def describe(path: str | Path) -> dict[str, Any]:
    """Everything that a checkpoint says about itself, without its weights.

    Raises:
        InputError: there is none at `path`, or it is of another format or kind.
    """
    path = Path(path)
    document = files.read_json(path / "checkpoint.json", "checkpoint of a surrogate")
    written = document.get("versions", {}).get("neurotwin", "another version")
    if document.get("format") != FORMAT or document.get("kind") != KIND:
        raise InputError(
            f"{path}: is a checkpoint of the format {document.get('format')!r} "
            f"({document.get('kind', 'single unit')}), written by {written}; this version reads {FORMAT} ({KIND}): "
            "read it with that version, or train anew."
        )
    return document
