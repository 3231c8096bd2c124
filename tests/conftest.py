"""What every test runs under: checked shapes, strict JAX, no network, no window, and nobody's Brian2 settings."""

import contextlib
import ipaddress
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jaxtyping
import matplotlib
import pytest

REPOSITORY = Path(__file__).parents[1]

BRIAN2_SETTINGS = """
[codegen]
target = 'numpy'
[logging]
file_log = False
save_script = False
"""


def _import_brian2_with(settings: str) -> None:
    """Import Brian2 with these settings and its own defaults, whatever preferences a person keeps at home.

    Brian2 opens its log file while it is imported, and before that it listens only to a file `brian_preferences` in
    the current folder. It compiles to numpy here because most tests run for a shorter time than Cython compiles.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("brian_preferences").write_text(settings)
        import brian2

        brian2.prefs.reset_to_defaults()
        brian2.prefs.read_preference_file("brian_preferences")


# All of this comes before the first import of the project: the hook checks only what is imported after it.
matplotlib.use("Agg")
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
_import_brian2_with(BRIAN2_SETTINGS)
jaxtyping.install_import_hook(("twin", "biophys", "surrogate"), "beartype.beartype")


class NetworkRefused(RuntimeError):
    """A test reached for another machine. Not an OSError: code that copes with being offline must not swallow it."""


def _is_this_machine(host: Any) -> bool:
    """Whether a host names this machine; None is what a listening socket passes."""
    if host in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_unless_here(host: Any) -> None:
    if not _is_this_machine(host):
        raise NetworkRefused(
            f"a test reached for {host!r}; tests use this machine only, so bring the file or a fake server"
        )


def _guarded_connect(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Guard a method of socket; an address that is no tuple is a path on this machine."""

    def guarded(self: socket.socket, address: Any) -> Any:
        if isinstance(address, tuple):
            _refuse_unless_here(address[0])
        return connect(self, address)

    return guarded


def _guarded_lookup(getaddrinfo: Callable[..., Any]) -> Callable[..., Any]:
    """Guard the look-up of names, which every connection by name starts with."""

    def guarded(host: Any, *arguments: Any, **options: Any) -> Any:
        _refuse_unless_here(host.decode() if isinstance(host, bytes) else host)
        return getaddrinfo(host, *arguments, **options)

    return guarded


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Refuse every connection and every look-up of a name that leaves this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded_connect(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _guarded_connect(socket.socket.connect_ex))
        patch.setattr(socket, "getaddrinfo", _guarded_lookup(socket.getaddrinfo))
        yield


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of outside recordings, one folder per data set; tests that use it are marked `needs_data`."""
    named = os.environ.get("NEUROTWIN_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if folder.is_dir():
        return folder
    if named:
        pytest.fail(f"NEUROTWIN_DATA is {named!r}, which is not a folder; give the folder that holds the data sets")
    pytest.skip("no outside recordings here; give the folder that holds the data sets as NEUROTWIN_DATA")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "recordings" in getattr(item, "fixturenames", ()):
            item.add_marker("needs_data")
