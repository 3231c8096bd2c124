"""What a report says of how an experiment was started: the command, and the hash of every file that it read."""

import shlex
from pathlib import Path

from twin import provenance


def command_of(name: str, data: Path, test: Path | None, seed: int) -> str:
    """The command line, with folders by their own name alone: where they lie is nobody's business."""
    words = ["twin", "experiment", name, "--data", data.absolute().name]
    words += ["--test", test.absolute().name] if test else []
    return shlex.join([*words, "--out", "OUT", "--seed", str(seed)])


def input_hashes(data: Path, test: Path | None, *patterns: str) -> dict[str, str]:
    """The hash of each file of the folders that one of `patterns` fits, by "--data NAME" or "--test NAME"."""
    folders = {"--data": data} | ({"--test": test} if test else {})
    return {
        f"{option} {path.name}": provenance.file_hash(path)
        for option, folder in folders.items()
        for path in sorted({path for pattern in patterns for path in folder.glob(pattern)})
    }
