"""The Python in README.md and in the pages runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGES = ("README.md", "docs/recordings.md", "docs/models.md")


def code_of(page: str) -> list[str]:
    """The blocks of Python in a page."""
    return re.findall(r"```python\n(.*?)```", (REPOSITORY / page).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(("page", "number"), [(page, k) for page in PAGES for k in range(len(code_of(page)))])
def test_code_in_a_page_runs(page: str, number: int, tmp_path: Path) -> None:
    """Each block by itself, in an empty folder."""
    done = subprocess.run(
        [sys.executable, "-c", code_of(page)[number]],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
