"""The house rules, read from the sources: who may import whom, and what a file may look like."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

# What each package may import of the others; `experiments` introduces the two that never meet.
MAY_IMPORT = {
    "twin": set(),
    "biophys": {"twin"},
    "surrogate": {"twin"},
    "experiments": {"twin", "biophys", "surrogate"},
}
# The one package in which an engine lives.
LIVES_IN = {"brian2": "biophys", "flax": "surrogate"}
MAX_LINES = 400

Parsed = tuple[Path, ast.Module]


def sources(root: Path, *folders: str) -> Iterator[Path]:
    """Every Python file below these folders of a repository, in order."""
    for folder in folders:
        yield from sorted((root / folder).rglob("*.py"))


def parsed(root: Path, *folders: str) -> Iterator[Parsed]:
    """Every Python file below these folders with its syntax tree; its path is relative to the repository."""
    for path in sources(root, *folders):
        yield path.relative_to(root), ast.parse(path.read_text(), filename=str(path))


def imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The top name and the line of every import, those by `import_module("...")` too.

    An import within a function or under TYPE_CHECKING counts: an arrow is about who knows whom, not about when.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0], node.lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value.split(".")[0], node.lineno


def wrong_arrows(root: Path) -> list[str]:
    """Imports between the packages that the design does not allow."""
    return [
        f"{path}:{line}: {package} must not import {name}"
        for package, allowed in MAY_IMPORT.items()
        for path, tree in parsed(root, package)
        for name, line in imported(tree)
        if name in MAY_IMPORT and name != package and name not in allowed
    ]


def strayed_engines(root: Path) -> list[str]:
    """Imports of Brian2 or Flax outside the package in which they live."""
    return [
        f"{path}:{line}: {name} is imported in {LIVES_IN[name]} only"
        for package in MAY_IMPORT
        for path, tree in parsed(root, package)
        for name, line in imported(tree)
        if name in LIVES_IN and package != LIVES_IN[name]
    ]


def long_files(root: Path) -> list[str]:
    """Files of more than MAX_LINES lines."""
    counts = {path: len(path.read_text().splitlines()) for path in sources(root, *MAY_IMPORT, "tests", "benchmarks")}
    return [f"{path.relative_to(root)}: {count} lines" for path, count in counts.items() if count > MAX_LINES]


def undescribed_modules(root: Path) -> list[str]:
    """Modules whose first line does not open their docstring."""
    return [
        f"{path}: the first line is not a docstring"
        for path, tree in parsed(root, *MAY_IMPORT, "tests", "benchmarks")
        if ast.get_docstring(tree) is None or tree.body[0].lineno != 1
    ]


def utility_modules(root: Path) -> list[str]:
    """Modules and packages that are named after no thing at all."""
    return [
        f"{path.relative_to(root)}: a helper lives beside its one user, and gets a noun when it has two"
        for path in sources(root, *MAY_IMPORT, "tests", "benchmarks")
        if {"util", "utils"} & {*path.relative_to(root).parts[:-1], path.stem}
    ]


def _belongs_in_init(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return {ast.unparse(target) for target in node.targets} <= {"__all__", "__version__"}
    if isinstance(node, ast.FunctionDef):
        return node.name == "__getattr__"  # a re-export that waits until it is asked for
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return docstring or isinstance(node, ast.Import | ast.ImportFrom)


def busy_inits(root: Path) -> list[str]:
    """What `__init__` files hold beyond docstring, imports, `__all__`, `__version__` and the module's `__getattr__`."""
    return [
        f"{path}:{node.lineno}: an __init__ file re-exports and does nothing else"
        for path, tree in parsed(root, *MAY_IMPORT)
        if path.name == "__init__.py"
        for node in tree.body
        if not _belongs_in_init(node)
    ]


RULES = [wrong_arrows, strayed_engines, long_files, undescribed_modules, utility_modules, busy_inits]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_file_of_the_repository_breaks_the_rule(rule: Callable[[Path], list[str]]) -> None:
    """Every source file keeps to the rule."""
    offences = rule(REPOSITORY)
    assert not offences, "\n".join(offences)


def test_the_rules_read_the_sources() -> None:
    """The rules do not pass because they look at an empty place."""
    for package in MAY_IMPORT:
        assert any(imported(tree) for _, tree in parsed(REPOSITORY, package)), package


PLANTED = [
    (wrong_arrows, "twin/bad.py", '"""Bad."""\n\nfrom biophys.circuit import Circuit\n'),
    (wrong_arrows, "twin/bad.py", '"""Bad."""\n\n\ndef late():\n    import experiments.cli\n'),
    (
        wrong_arrows,
        "twin/bad.py",
        '"""Bad."""\n\nfrom importlib import import_module\n\nimport_module("surrogate.core")\n',
    ),
    (wrong_arrows, "biophys/bad.py", '"""Bad."""\n\nimport numpy, surrogate\n'),
    (wrong_arrows, "surrogate/deep/bad.py", '"""Bad."""\n\nfrom biophys import compile_network\n'),
    (strayed_engines, "twin/bad.py", '"""Bad."""\n\nimport brian2\n'),
    (strayed_engines, "experiments/bad.py", '"""Bad."""\n\nfrom brian2.units import ms\n'),
    (strayed_engines, "biophys/bad.py", '"""Bad."""\n\nfrom flax import nnx\n'),
    (long_files, "tests/bad.py", '"""Bad."""\n' + "x = 1\n" * MAX_LINES),
    (undescribed_modules, "twin/bad.py", 'import os\n\n"""Too late."""\n'),
    (undescribed_modules, "benchmarks/bad.py", '# A comment first.\n"""Bad."""\n'),
    (utility_modules, "surrogate/utils.py", '"""Bad."""\n'),
    (utility_modules, "biophys/utils/plot.py", '"""Bad."""\n'),
    (busy_inits, "twin/judge/__init__.py", '"""Bad."""\n\n\ndef evaluate():\n    return 1\n'),
    (busy_inits, "biophys/__init__.py", '"""Bad."""\n\nCACHE = {}\n'),
]


@pytest.mark.parametrize(("rule", "name", "source"), PLANTED, ids=lambda value: getattr(value, "__name__", None))
def test_a_planted_offender_is_found(rule: Callable[[Path], list[str]], name: str, source: str, tmp_path: Path) -> None:
    """A rule names the file that breaks it, and no rule is broken by a file that keeps to all of them."""
    good = tmp_path / "twin" / "good.py"
    good.parent.mkdir(parents=True)
    good.write_text('"""Good."""\n\nimport numpy as np\n\nfrom twin.errors import InputError\n')
    assert [offence for every in RULES for offence in every(tmp_path)] == []

    bad = tmp_path / name
    bad.parent.mkdir(parents=True, exist_ok=True)
    bad.write_text(source)
    (offence,) = rule(tmp_path)
    assert offence.startswith(name)


def loaded_after(statement: str) -> set[str]:
    """The top names of all modules that a fresh Python has loaded after a statement."""
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    answer = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


def test_import_twin_is_light() -> None:
    """`import twin` loads neither an engine nor an array library."""
    heavy = {"brian2", "flax", "jax", "numpy", "xarray", "matplotlib"}
    assert not heavy & loaded_after("import twin")
    assert "numpy" in loaded_after("import twin, numpy"), "the probe sees what is loaded"


@pytest.mark.slow
def test_the_two_speakers_do_not_load_each_other() -> None:
    """Importing the surrogate loads no Brian2, and importing the biophysics loads no Flax."""
    assert "brian2" not in loaded_after("import surrogate")
    assert "flax" not in loaded_after("import biophys")
