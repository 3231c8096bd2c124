"""Which reader takes which files: by what is in them."""

import numpy as np
import pytest

from twin import readers
from twin.errors import InputError, UnsupportedError

RAW = np.zeros((1, 256, 2), np.int16) + np.arange(256, dtype=np.int16)[None, :, None]


def test_contents_decide_and_names_do_not(tmp_path, make_abf, make_ibw, make_nwb):
    """An Axon, an Igor and an NWB file under wrong names are still read as what they are."""

    def add(pynwb, file):
        pipette = file.create_icephys_electrode(name="e", description="d", device=file.create_device("a"))
        series = pynwb.icephys.CurrentClampSeries(name="s", data=np.arange(9.0), electrode=pipette, gain=1.0, rate=10.0)
        file.add_acquisition(series)

    for made, step in (
        (make_abf(tmp_path / "a.abf", RAW), "read Axon file"),
        (make_ibw(tmp_path / "b.ibw", np.arange(9.0)), "read Igor binary waves"),
        (make_nwb(tmp_path / "c.nwb", add), "read NWB file"),
    ):
        disguised = made.rename(made.with_suffix(".dat"))
        assert readers.read([disguised]).attrs["provenance"][0]["step"] == step


def test_missing_empty_and_unknown_files_are_named(tmp_path):
    """No file, an empty file, a folder and a picture: one sentence each, with what can be read."""
    with pytest.raises(InputError, match="none.nwb: no such file"):
        readers.read([tmp_path / "none.nwb"])
    (tmp_path / "empty.nwb").touch()
    with pytest.raises(InputError, match="empty.nwb: is empty"):
        readers.read([tmp_path / "empty.nwb"])
    with pytest.raises(InputError, match="is a folder"):
        readers.read([tmp_path])
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n" + bytes(100))
    with pytest.raises(UnsupportedError, match="no reader takes these files together; what can be read: Neurodata"):
        readers.read([tmp_path / "x.png"])


def test_files_that_do_not_belong_together_are_refused(tmp_path, make_abf, make_ibw):
    """An Axon file and an Igor wave are not one recording."""
    with pytest.raises(UnsupportedError, match="together"):
        readers.read([make_abf(tmp_path / "a.abf", RAW), make_ibw(tmp_path / "b.ibw", np.arange(9.0))])


@pytest.mark.parametrize("module", ["pynwb", "neo", "igor2"])
def test_a_library_that_is_not_installed_is_named(monkeypatch, module):
    """Without the extra `readers`, the sentence says what to install."""
    from twin.readers import libraries

    def absent(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(libraries, "import_module", absent)
    with pytest.raises(UnsupportedError, match=rf"needs the package {module}, .*pip install 'neurotwin\[readers\]'"):
        libraries.library(module, "reading a file")
