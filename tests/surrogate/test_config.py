"""Configurations: typed, complete, and nothing in them goes unread."""

import pytest

from surrogate import config as configs
from surrogate.config import Config, from_document
from twin.errors import InputError

TOML = """
name = "two"
seed = 3
out = "runs/two"
[data]
recordings = ["a.zarr", "sub/b.zarr"]
window_s = 1
covariates = ["age"]
[inputs]
others = false
[model]
history_taus = [1, 2.5]
video_kernel = [3, 7]
[training]
precision = "bfloat16"
"""


def test_a_file_gives_typed_values(tmp_path):
    """Numbers, lists and paths arrive as the types of their fields, the rest keeps its default."""
    (tmp_path / "c.toml").write_text(TOML)
    config = configs.read(tmp_path / "c.toml")
    assert config.data.recordings == (str(tmp_path / "a.zarr"), str(tmp_path / "sub/b.zarr"))
    assert config.data.window_s == 1.0 and isinstance(config.data.window_s, float)
    assert config.model.history_taus == (1.0, 2.5) and config.model.video_kernel == (3, 7)
    assert not config.inputs.others and config.inputs.own_past
    assert config.out == str(tmp_path / "runs/two") and config.training.steps == Config().training.steps
    assert from_document(config.to_json()) == config


WRONG = {
    "[data]\nwindows = 3": r"nothing reads the key 'data.windows'; known here: behaviour, burn_in",
    "[dat]\nx = 1": "nothing reads the key 'dat'",
    "[model]\nwidth = 8.5": "model.width is 8.5; wanted int",
    "[model]\nwidth = true": "model.width is True; wanted int",
    '[model]\ncore = "lstm"': "model.core is 'lstm'; wanted one of gru, transformer, none",
    "[model]\nvideo_kernel = [3]": r"model.video_kernel is \[3\]; wanted tuple\[int, int\]",
    "data = 3": "data is 3; wanted a table",
    "[data]\nlength = 8\nburn_in = 8": "wanted fewer windows of context",
    "[data]\nvalidation = 0.6\ntest = 0.5": "leave some to fit",
    "[inputs]\nothers_until = -2": "inputs.others_until = -2 .* wanted -1 or more",
    "[training]\nsteps = 0": "training.steps = 0; wanted a positive number",
    "[model]\nwidth = 10": "model.width = 10, which 4 attention heads do not divide",
    "[data": "is not TOML",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_key_or_value_is_named(text, tmp_path):
    """The sentence has the key as it stands in the file, what was found and what was wanted."""
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(InputError, match=WRONG[text]):
        configs.read(tmp_path / "c.toml")


def test_a_missing_file_is_named(tmp_path):
    """The path and the reason."""
    with pytest.raises(InputError, match="c.toml: the configuration cannot be read"):
        configs.read(tmp_path / "c.toml")
