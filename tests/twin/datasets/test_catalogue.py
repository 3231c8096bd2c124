"""The list of sets: complete facts, tables that are refused as recordings, and checksums of public originals."""

import hashlib
import tomllib

import numpy as np
import pytest

from twin.datasets import ALL
from twin.datasets.dataset import CHECKSUMS, verify_checksums
from twin.errors import InputError, UnsupportedError


@pytest.mark.parametrize("name", ALL)
def test_every_set_states_its_terms(name):
    """Source, citation, licence and size of every set are there, and its name is the one it is listed under."""
    dataset = ALL[name]
    facts = (dataset.title, dataset.source, dataset.citation, dataset.licence, dataset.size)
    assert dataset.name == name and all(facts) and "\n" not in "".join(facts)
    assert (dataset.load is None) == (dataset.experiment is not None)


@pytest.mark.parametrize("name", ["neuroelectro", "patchseq_m1_scala2021"])
def test_a_table_is_refused_with_the_way_out(name, tmp_path):
    """A table is no recording; the sentence names the experiment that uses it."""
    with pytest.raises(UnsupportedError, match=f"{name} is a table.*twin experiment neuroelectro --data DIR"):
        ALL[name].recordings(tmp_path)


def test_a_set_without_a_usual_place():
    """Without a folder the sentence says where the original files come from, and how to give them."""
    with pytest.raises(InputError, match="original files with --from; they come from pozzorin/GIFFittingToolbox"):
        ALL["gif_pozzorini"].recordings()


def test_checksums_are_of_sets_that_exist():
    """Every table of checksums belongs to a set, and every entry is a SHA-256."""
    known = tomllib.loads(CHECKSUMS.read_text(encoding="utf-8"))
    assert set(known) <= set(ALL)
    assert all(len(bytes.fromhex(found)) == 32 for files in known.values() for found in files.values())


def test_a_changed_original_is_refused(folder, monkeypatch, tmp_path):
    """A file of a known name with other contents is refused; unverified it is read; an unknown name is left alone."""
    np.save(folder / "Allen_test_output_big.npy", np.zeros((2, 3)))
    with pytest.raises(InputError, match="Allen_test_output_big.npy: differs from the public original .*--unverified"):
        ALL["allen_natscenes_511510667"].recordings(folder)
    assert list(ALL["allen_natscenes_511510667"].recordings(folder, verify=False)) == ["session_511510667"]
    (folder / "new.abf").write_bytes(b"something else")
    assert verify_checksums("pyabf_subset", folder) == ()


def test_the_log_names_what_was_checked(folder, monkeypatch, tmp_path):
    """A file that agrees with its checksum is named in the log of the recording, with the licence of the set."""
    np.save(folder / "Allen_test_output_big.npy", np.zeros((2, 3)))
    right = hashlib.sha256((folder / "Allen_test_output_big.npy").read_bytes()).hexdigest()
    checksums = tmp_path / "checksums.toml"
    checksums.write_text(f'[allen_natscenes_511510667]\n"Allen_test_output_big.npy" = "{right}"\n')
    monkeypatch.setattr("twin.datasets.dataset.CHECKSUMS", checksums)
    tree = ALL["allen_natscenes_511510667"].recordings(folder)["session_511510667"]()
    terms = tree.attrs["provenance"][-1]["parameters"]
    assert terms["checked_against_public_original"] == ["Allen_test_output_big.npy"]
    assert terms["licence"] == ALL["allen_natscenes_511510667"].licence


def test_the_grasshopper_needs_no_folder():
    """The set that nitime brings is found by itself, and its files are the public ones."""
    recordings = ALL["grasshopper"].recordings()
    assert list(recordings) == ["grasshopper_1", "grasshopper_2"]
    tree = recordings["grasshopper_1"]()
    assert tree["spikes"].sizes["spike"] == 929
    assert len(tree.attrs["provenance"][-1]["parameters"]["checked_against_public_original"]) == 2
