"""The tutorial's code runs as it stands, in a Python of its own, and prints what the page says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "tutorial-brian2-on-jax.md"
SMALLER = {"np.linspace(0.5, 2, 40)": "np.linspace(0.5, 2, 3)", "np.linspace(0.5, 2, 25)": "np.linspace(0.5, 2, 2)"}


def blocks(language: str) -> list[str]:
    """The page's blocks in a language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def replaced(text: str, changes: dict[str, str]) -> str:
    """A text with changes, each of which must apply."""
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


def printed(code: str, folder: Path) -> str:
    """What a new Python prints when it runs the code in a folder with the page's script and Brian2 without Cython."""
    (folder / "brian_preferences").write_text("[codegen]\ntarget = 'numpy'\n")
    start = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n"
    done = subprocess.run([sys.executable, "-c", start + code], cwd=folder, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return done.stdout


def test_every_block_runs_and_prints_what_the_page_says(tmp_path: Path) -> None:
    """The blocks run in order in one session, the sweep with its corners alone, and print what the page shows."""
    script, *later = blocks("python")
    by_brian2, *said = blocks("text")
    assert by_brian2 == said[0] and len(said) == len(later) == 3
    (tmp_path / "if_curve.py").write_text(script)
    assert printed(replaced("\n".join(later), SMALLER), tmp_path) == "".join(said)


@pytest.mark.parametrize("device", ["runtime", "jax"])
def test_the_script_gives_the_same_spikes_on_both_devices(tmp_path: Path, device: str) -> None:
    """A tenth of the script's time has as many spikes in each cell with Brian2's own run-time as on the device."""
    script = replaced(blocks("python")[0], {"2 * second": "0.2 * second"})
    code = f"import biophys, brian2\nbrian2.set_device({device!r})\n{script}"
    assert printed(code, tmp_path) == "1044 [40. 65. 90.] Hz\n"


def test_the_code_is_forty_lines_altogether() -> None:
    """The page says 40 lines of code; there are no more."""
    lines = [line for block in blocks("python") for line in block.splitlines() if line.strip()]
    assert len(lines) <= 40
    assert "40 lines" in PAGE.read_text()
