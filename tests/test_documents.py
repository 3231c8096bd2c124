"""The Python in README.md and in the pages runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "docs/recordings.md",
    "docs/calcium.md",
    "docs/v1-transfer.md",
    "docs/choice.md",
    "docs/feature-streams.md",
    "docs/retina-corpus.md",
    pytest.param("docs/models.md", marks=pytest.mark.slow),
)


def code_of(page: str) -> str:
    """The blocks of Python in a page, one after another."""
    blocks = re.findall(r"```python\n(.*?)```", (REPOSITORY / page).read_text(encoding="utf-8"), re.DOTALL)
    return "\n".join(blocks)


@pytest.mark.parametrize("page", PAGES)
def test_code_in_a_page_runs(page: str, tmp_path: Path) -> None:
    """From top to bottom, in an empty folder."""
    done = subprocess.run(
        [sys.executable, "-c", code_of(page)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
