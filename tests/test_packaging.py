"""What is promised about installing, and about the surroundings in which the tests run, holds."""

import ast
import re
import socket
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import brian2
import jax.numpy as jnp
import jaxtyping
import matplotlib
import numpy as np
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import twin

REPOSITORY = Path(__file__).parents[1]
PACKAGES = ("twin", "biophys", "surrogate", "experiments")
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
PYTHONS = ("3.11", "3.12", "3.13")

# Where a package has another name than the module it brings, or than it has on conda-forge.
NAME_OF_MODULE = {"sklearn": "scikit-learn", "orbax": "orbax-checkpoint", "yaml": "pyyaml"}
NAME_ON_PYPI = {"matplotlib-base": "matplotlib", "python-neo": "neo", "dask-core": "dask"}


def core() -> list[Requirement]:
    """The requirements of an installation without extras."""
    return [Requirement(text) for text in PROJECT["dependencies"]]


def extras() -> list[Requirement]:
    """The requirements of all extras together."""
    return [Requirement(text) for group in PROJECT["optional-dependencies"].values() for text in group]


def bounds(requirements: list[Requirement], python: str) -> dict[str, SpecifierSet]:
    """The bound of each required package on one version of Python."""
    found: dict[str, SpecifierSet] = {}
    for requirement in requirements:
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
            name = canonicalize_name(requirement.name)
            found[name] = found.get(name, SpecifierSet()) & requirement.specifier
    return found


def conda_specs() -> dict[str, SpecifierSet]:
    """The bound of each package in environment.yml under its name on PyPI, those that pip installs there too."""
    *specs, by_pip = yaml.safe_load((REPOSITORY / "environment.yml").read_text())["dependencies"]
    requirements = [Requirement(text) for text in specs if not text.startswith("python ") and text != "pip"]
    requirements += [Requirement(text) for text in by_pip["pip"] if not text.startswith("-e ")]
    return {canonicalize_name(NAME_ON_PYPI.get(r.name, r.name)): r.specifier for r in requirements}


def conda_python() -> tuple[SpecifierSet, list[str]]:
    """The range of Python in environment.yml, and the versions such as "3.11.*" that it picks from the range."""
    specs = yaml.safe_load((REPOSITORY / "environment.yml").read_text())["dependencies"]
    (text,) = (spec for spec in specs if isinstance(spec, str) and spec.startswith("python "))
    parts = text.removeprefix("python ").split(",")
    return SpecifierSet(",".join(part for part in parts if part[0] in "<>")), [
        part for part in parts if part[0].isdigit()
    ]


def pins(python: str) -> dict[str, str]:
    """The tested version of each package on one version of Python."""
    lines = (REPOSITORY / "constraints" / f"python{python}.txt").read_text().splitlines()
    return {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in lines}


def test_environment_and_pyproject_require_the_same() -> None:
    """The conda environment has every dependency and extra of pyproject.toml with the same bound, and nothing else."""
    assert conda_specs() == bounds(core() + extras(), python="3.11")


def test_the_python_range_is_the_same_everywhere() -> None:
    """pyproject.toml, its classifiers, environment.yml and the constraints name the same versions of Python."""
    supported, picked = conda_python()
    assert supported == SpecifierSet(PROJECT["requires-python"])
    assert picked == ["3.11.*"]
    assert [f"3.{minor}" for minor in range(20) if f"3.{minor}" in supported] == list(PYTHONS)
    classified = [text.rpartition(" ")[2] for text in PROJECT["classifiers"] if "Python :: 3." in text]
    assert classified == list(PYTHONS)
    assert sorted(path.name for path in (REPOSITORY / "constraints").iterdir()) == [f"python{p}.txt" for p in PYTHONS]
    assert ".".join(map(str, sys.version_info[:2])) in PYTHONS


@pytest.mark.parametrize("python", PYTHONS)
def test_constraints_pin_every_direct_dependency(python: str) -> None:
    """Each direct dependency is pinned to a version within its bound."""
    pinned = pins(python)
    for name, bound in bounds(core() + extras(), python).items():
        assert name in pinned, name
        assert pinned[name] in bound, f"{name}=={pinned[name]} is outside {bound}"


@pytest.mark.parametrize("python", PYTHONS)
def test_constraints_hold_versions_only(python: str) -> None:
    """A line is `name==version`: no address, no hash, no option, no local version, and neither pip nor this project."""
    lines = (REPOSITORY / "constraints" / f"python{python}.txt").read_text().splitlines()
    wrong = [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)]
    assert wrong == []
    assert not {"pip", "neurotwin"} & pins(python).keys()
    assert lines == sorted(lines, key=lambda line: canonicalize_name(line.split("==")[0]))


def test_numpy_is_bounded_where_brian2_needs_it() -> None:
    """On Python 3.11, whose Brian2 cannot be imported with numpy 2.4, no such numpy is accepted."""
    assert "2.4.0" not in bounds(core(), "3.11")["numpy"]
    assert "2.3.5" in bounds(core(), "3.11")["numpy"]
    assert "2.4.0" in bounds(core(), "3.12")["numpy"]


def assignments(name: str) -> Iterator[Path]:
    """The files of the packages that assign a name at the top level."""
    for package in PACKAGES:
        for path in (REPOSITORY / package).rglob("*.py"):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets):
                    yield path.relative_to(REPOSITORY)


def test_the_version_is_stated_once() -> None:
    """The version is in twin/__init__.py and nowhere else; pyproject.toml reads it there."""
    assert list(assignments("__version__")) == [Path("twin/__init__.py")]
    assert "version" not in PROJECT and PROJECT["dynamic"] == ["version"]
    for name in ("pyproject.toml", "environment.yml", "Makefile"):
        assert f'"{twin.__version__}"' not in (REPOSITORY / name).read_text(), name


def test_the_installed_version_is_the_stated_one() -> None:
    """The installed distribution carries the version that `twin` states."""
    try:
        installed = version("neurotwin")
    except PackageNotFoundError:
        pytest.skip("neurotwin runs from its sources here; `pip install -e .` makes this test possible")
    assert installed == twin.__version__


def test_every_promised_name_of_twin_arrives() -> None:
    """Each name in `twin.__all__` can be used after `import twin`, and another name is an AttributeError."""
    for name in twin.__all__:
        assert getattr(twin, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'tween'"):
        twin.tween  # noqa: B018


def test_the_command_leads_to_a_function() -> None:
    """The console script `twin` names a function that exists."""
    module, _, function = PROJECT["scripts"]["twin"].partition(":")
    tree = ast.parse((REPOSITORY / module.replace(".", "/")).with_suffix(".py").read_text())
    assert function in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def imports() -> dict[str, Path]:
    """The top name of everything the packages import from outside, with one of the files that do."""
    found: dict[str, Path] = {}
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0]: path for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    found[node.module.split(".")[0]] = path
    return {name: path for name, path in found.items() if name not in sys.stdlib_module_names and name not in PACKAGES}


def test_every_import_is_declared() -> None:
    """What the packages import is a declared dependency, not one that another package happens to bring."""
    development = {Requirement(text).name for text in PROJECT["optional-dependencies"]["dev"]}
    declared = {requirement.name for requirement in core() + extras()} - development
    undeclared = {name: path for name, path in imports().items() if NAME_OF_MODULE.get(name, name) not in declared}
    assert undeclared == {}


def test_no_test_reaches_the_network() -> None:
    """A connection or a look-up that leaves this machine is refused, and one that stays is not."""
    with pytest.raises(RuntimeError, match="reached for 'example.org'"):
        socket.create_connection(("example.org", 80), timeout=1)
    with socket.socket() as outward, pytest.raises(RuntimeError, match="reached for '192.0.2.1'"):
        outward.connect(("192.0.2.1", 80))
    with socket.socket() as outward, pytest.raises(RuntimeError, match="reached for '192.0.2.1'"):
        outward.connect_ex(("192.0.2.1", 80))
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


def test_jax_is_strict() -> None:
    """Mixed types and ranks are errors, and 64-bit numbers stay 64-bit."""
    with pytest.raises(ValueError, match="promotion"):
        jnp.zeros(2, jnp.float32) + jnp.zeros(2, jnp.float64)
    with pytest.raises(ValueError, match="rank_promotion"):
        jnp.zeros((2, 2)) + jnp.zeros(2)
    assert jnp.asarray(np.float64(1)).dtype == np.float64


def test_annotations_are_checked() -> None:
    """A function of the project called with another type than it declares raises, so wrong annotations cannot last."""
    from twin.judge import pearson

    unchecked: Any = pearson
    with pytest.raises(jaxtyping.TypeCheckError):
        unchecked("a", "b")


def test_brian2_keeps_to_itself() -> None:
    """Brian2 compiles to numpy, writes no log file, and plots open no window."""
    settings: Any = brian2.prefs
    assert settings["codegen.target"] == "numpy"
    assert settings["logging.file_log"] is False
    assert brian2.BrianLogger.tmp_log is None and brian2.BrianLogger.file_handler is None
    assert matplotlib.get_backend().lower() == "agg"
