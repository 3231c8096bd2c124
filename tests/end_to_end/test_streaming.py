"""A recording larger than memory: what `twin ingest` and `twin inspect` need does not grow with the file."""

from pathlib import Path

import pytest

from benchmarks.streaming import generate, measured

GIB = 1024.0  # MiB


def peaks_mib(folder: Path, gigabytes: float) -> tuple[float, float]:
    """Peak memory of reading a generated file of this size, and of summarising it."""
    folder.mkdir()
    generate(folder / "long.nwb", gigabytes)
    peaks = [measured("ingest", str(folder / "long.nwb"), "--out", str(folder / "long.zarr"))[1]]
    (folder / "long.nwb").unlink()
    return peaks[0], measured("inspect", str(folder / "long.zarr"))[1]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """A file of 300 MB takes less than a quarter of its size more than one of 8 MB."""
    small, large = peaks_mib(tmp_path / "small", 0.008), peaks_mib(tmp_path / "large", 0.3)
    assert max(more - less for more, less in zip(large, small, strict=True)) < 75


@pytest.mark.slow
def test_four_gigabytes_within_a_fifth_of_what_twenty_may_take(tmp_path: Path) -> None:
    """20 GB may take 1 GiB; 4 GB take a fifth of that beyond what the program takes by itself, and 1 GiB in all."""
    small, large = peaks_mib(tmp_path / "small", 0.008), peaks_mib(tmp_path / "large", 4.0)
    assert max(large) < GIB
    assert max(more - less for more, less in zip(large, small, strict=True)) < GIB / 5
