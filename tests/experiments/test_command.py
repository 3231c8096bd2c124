"""What a report says of how it was made: portable, and of every file that was read."""

import json
from pathlib import Path

from experiments.command import command_of, input_hashes
from twin import provenance


def test_the_command_line_of_the_report_is_portable(tmp_path: Path) -> None:
    """No path of a machine is in the command of report.json."""
    text = command_of("cells", tmp_path / "set", tmp_path / "other", 1)
    assert text == "twin experiment cells --data set --test other --out OUT --seed 1" and json.dumps(text)


def test_every_file_of_both_folders_is_hashed(tmp_path: Path) -> None:
    """Files that a pattern fits, in order of their names, each once; what no pattern fits is left out."""
    for name in ("set/b.npz", "set/a.abf", "set/notes.txt", "other/b.npz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    found = input_hashes(tmp_path / "set", tmp_path / "other", "*.abf", "*.npz", "b*")
    assert list(found) == ["--data a.abf", "--data b.npz", "--test b.npz"]
    assert found["--data b.npz"] == provenance.file_hash(tmp_path / "set" / "b.npz") != found["--test b.npz"]
