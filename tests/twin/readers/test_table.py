"""Tables with a TOML layout: each signal from CSV and NPZ, and a clear way out for whatever is missing."""

import numpy as np
import pytest

from twin import readers, recording
from twin.errors import InputError
from twin.readers import table

SWEEPS = """
[table]
signal = "sweeps"
clamp = "current"
time = {column = "t", unit = "ms"}

[table.columns]
voltage = {column = ["v1", "v2"], unit = "V"}
current = {column = ["i1", "i2"], unit = "pA"}

[table.stimulus]
light = {column = "led", unit = "mW"}

[temperature]
value = 32.0
unit = "degC"
source = "bath thermometer"
"""
ARRAY = """
[table]
signal = "sweeps"
clamp = "zero"
sampling_hz = 5e3
[table.columns]
voltage = {column = "V", unit = "V"}
"""
COLUMNS = ["t", "v1", "v2", "i1", "i2", "led", "extra"]
VALUES = np.random.default_rng(3).normal(size=(50, 7)).round(4)
VALUES[:, 0] = 100 + 0.1 * np.arange(50)


def csv_pair(folder, layout=SWEEPS, columns=COLUMNS, values=VALUES, delimiter=","):
    """A text table and its layout."""
    (folder / "layout.toml").write_text(layout)
    rows = [delimiter.join(columns), *(delimiter.join(f"{one:.10g}" for one in row) for row in values)]
    (folder / "cell.csv").write_text("# made by hand\n" + "\n".join(rows) + "\n")
    return folder / "cell.csv", folder / "layout.toml"


def npz_pair(folder, layout, **arrays):
    """A numpy archive and its layout."""
    (folder / "layout.toml").write_text(layout)
    np.savez(folder / "cell.npz", **arrays)
    return folder / "layout.toml", folder / "cell.npz"


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_sweeps_of_a_text_table(tmp_path, delimiter):
    """Columns in V, pA and ms become sweeps in mV, nA and s, with the light and the protocol beside them."""
    tree = readers.read(csv_pair(tmp_path, delimiter=delimiter))
    np.testing.assert_allclose(tree["voltage/voltage"].values, VALUES[:, 1:3].T * 1e3)
    np.testing.assert_allclose(tree["voltage/current"].values, VALUES[:, 3:5].T * 1e-3)
    assert tree["voltage"].attrs["sampling_hz"] == pytest.approx(10_000) and tree["voltage"].attrs[
        "start_s"
    ] == pytest.approx(0.1)
    assert recording.stimulus_of(tree, "light").unit == "mW"
    assert recording.protocol_of(tree)["temperature"].value == 32.0
    assert tree.attrs["provenance"][0]["parameters"]["not_read"] == ["extra"]


def test_sweeps_of_an_archive(tmp_path):
    """A float32 array (sweep, time) stays float32; the sampling rate stands in the layout."""
    volts = np.linspace(-0.07, 0.03, 30, dtype=np.float32).reshape(3, 10)
    tree = readers.read(npz_pair(tmp_path, ARRAY, V=volts))
    np.testing.assert_allclose(tree["voltage/voltage"].values, volts * 1e3, rtol=1e-6)
    assert tree["voltage/voltage"].dtype == np.float32 and tree["voltage"].attrs["clamp"] == "zero"


def test_spikes_in_rows(tmp_path):
    """Times in ms with names of units and numbers of trials, in any order."""
    layout = (
        '[table]\nsignal = "spikes"\nstart_s = 0.0\nstop_s = 1.0\n[table.columns]\n'
        'time = {column = "when", unit = "ms"}\nunit = "cell"\ntrial = "rep"'
    )
    (tmp_path / "layout.toml").write_text(layout)
    (tmp_path / "spikes.csv").write_text("when,cell,rep\n300,b,0\n100,a,0\n200,a,0\n50,a,1\n")
    tree = readers.read((tmp_path / "spikes.csv", tmp_path / "layout.toml"))
    assert tree["spikes/unit"].values.tolist() == ["a", "b"]
    np.testing.assert_allclose(recording.spike_times(tree, 0)[0], [0.1, 0.2])
    np.testing.assert_allclose(recording.spike_times(tree, 0)[1], [0.05])


def test_counts_and_fluorescence(tmp_path):
    """Counts (trial, time, unit) of an archive, and frames at irregular times of a text table."""
    layout = '[table]\nsignal = "counts"\nbin_s = 0.01\n[table.columns]\ncount = "n"'
    counts = np.arange(24).reshape(2, 4, 3)
    tree = readers.read(npz_pair(tmp_path, layout, n=counts))
    np.testing.assert_array_equal(tree["counts/count"].values, counts)
    layout = (
        '[table]\nsignal = "fluorescence"\ntime = {column = "t", unit = "s"}\n[table.columns]\n'
        'fluorescence = {column = ["a", "b"], unit = "dF/F"}'
    )
    values = np.array([[0.0, 1, 2], [0.1, 3, 4], [0.5, 5, 6]])
    tree = readers.read(csv_pair(tmp_path, layout, ["t", "a", "b"], values))
    np.testing.assert_allclose(tree["fluorescence/fluorescence"].values, values[None, :, 1:])
    np.testing.assert_allclose(tree["fluorescence/time"].values, [0.0, 0.1, 0.5])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[table", "[tabel", r"\[table\] is missing; write \[table\] with signal"),
        ('signal = "sweeps"', "", 'signal in .table. is missing; write signal = "sweeps"'),
        ('signal = "sweeps"', 'signal = "sweep"', "signal in .table. is 'sweep'"),
        ('clamp = "current"', "", 'clamp in .table. is missing; write clamp = "current", "zero" or "voltage"'),
        ('time = {column = "t", unit = "ms"}', "", "sampling_hz in .table. is missing; write sampling_hz = NUMBER"),
        ('time = {column = "t", unit = "ms"}', 'time = "t"', r'\[table.time\] has no unit; write unit = "s" or "ms"'),
        (', unit = "V"}', "}", r'\[table.columns.voltage\] has no unit; write unit = "mV"'),
        ('unit = "pA"', 'unit = "V"', "has the unit 'V', not one of the kind nA"),
        ('unit = "mW"', 'unit = ""', r"\[table.stimulus.light\] has no unit"),
        ('"v2"', '"v3"', "has no column 'v3'; its columns are: t, v1"),
        ('column = "t"', 'col = "t"', "does not name its column"),
        ('unit = "degC"', 'unit = "K"', r"\[temperature\]: .* kept in 'degC'"),
        ("value = 32.0", "valeu = 32.0", r"\[temperature\] has to be a table with fields"),
        ("[table.columns]", "[table.colums]", r"\[table.columns\] is missing"),
        ("value = 32.0", "value = ", "is not TOML"),
    ],
)
def test_what_is_missing_is_named_with_what_to_write(tmp_path, old, new, words):
    """Every gap in the layout, and above all every missing unit, is one sentence that says what to write."""
    assert old in SWEEPS
    with pytest.raises(InputError, match=words):
        readers.read(csv_pair(tmp_path, SWEEPS.replace(old, new)))


def test_broken_tables_are_named(tmp_path):
    """Irregular times, a word among numbers, a short row, no names, and values that are not finite."""
    irregular = VALUES.copy()
    irregular[20, 0] += 0.05
    with pytest.raises(InputError, match="cell.csv: the times are not regular at row 21"):
        readers.read(csv_pair(tmp_path, values=irregular))
    with pytest.raises(InputError, match="cell.csv.* not finite"):
        readers.read(csv_pair(tmp_path, values=np.where(VALUES == VALUES[3, 1], np.nan, VALUES)))
    paths = csv_pair(tmp_path)
    whole = paths[0].read_text()
    for text, words in (
        (whole.replace(f"{VALUES[4, 1]:.10g},", "oops,"), "the column 'v1' is not a column of numbers"),
        (whole[: whole.rindex(",") - 12], "not a column of numbers|cut off"),
        (whole.split("\n", 2)[2], "wanted the names of the columns"),
    ):
        paths[0].write_text(text)
        with pytest.raises(InputError, match=words):
            readers.read(paths)


def test_an_archive_with_objects_is_refused(tmp_path):
    """Pickled objects, which could run code, are never loaded."""
    with pytest.raises(InputError, match="cell.npz"):
        readers.read(npz_pair(tmp_path, ARRAY, V=np.array([{"a": 1}], dtype=object)))


def test_a_layout_and_a_table_are_taken_together_only(tmp_path):
    """A table alone is nobody's: its units are nowhere."""
    csv, layout = csv_pair(tmp_path)
    assert table.accepts([csv, layout]) and not table.accepts([csv]) and not table.accepts([layout])
