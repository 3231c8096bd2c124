"""The command line: what is wrong is one sentence with exit code 2, and nothing is left behind."""

import shutil

import pytest

from experiments.cli import main
from twin.datasets import grasshopper


@pytest.fixture
def files(tmp_path):
    """A copy of the four real files that a test may break."""
    folder = tmp_path / "data"
    shutil.copytree(grasshopper.nitime_folder(), folder, ignore=shutil.ignore_patterns("*.csv", "*.gz"))
    return folder


def refused(capsys, *arguments) -> str:
    """Run the command, expect exit code 2 and one sentence, and return it."""
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told
    sentence = next(line for line in told.splitlines() if line.startswith("twin: "))
    return sentence


def demo(folder, out):
    return ["demo", "--quick", "--data", folder, "--out", out]


def test_a_missing_file(files, tmp_path, capsys):
    """The file that is not there is named."""
    (files / "grasshopper_spike_times2.txt").unlink()
    assert "grasshopper_spike_times2.txt: no such file" in refused(capsys, *demo(files, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("lost", [0, 1, 2, 1500])
def test_a_truncated_spike_file(files, tmp_path, capsys, number, lost):
    """A file that lost its closing line, and perhaps characters before it, is not read."""
    path = files / f"grasshopper_spike_times{number}.txt"
    spikes = path.read_text().rstrip("\n")
    path.write_text(spikes + "\n" if lost == 0 else spikes[:-lost])
    told = refused(capsys, *demo(files, tmp_path / "out"))
    assert path.name in told and "cut off" in told
    assert not (tmp_path / "out").exists()


def test_times_that_go_backwards(files, tmp_path, capsys):
    """Two spikes in the wrong order are named with their line."""
    path = files / "grasshopper_spike_times1.txt"
    lines = path.read_text().split("\n")
    lines[20], lines[21] = lines[21], lines[20]
    path.write_text("\n".join(lines))
    assert "times go backwards on line 22" in refused(capsys, *demo(files, tmp_path / "out"))


def test_a_stimulus_shorter_than_the_spikes(files, tmp_path, capsys):
    """A stimulus of 5 s cannot have evoked spikes at 9.9 s."""
    path = files / "grasshopper_stimulus1.txt"
    path.write_text("\n".join(path.read_text().split("\n")[:100_000]))
    assert "the stimulus ends at 5 s, before the last spike" in refused(capsys, *demo(files, tmp_path / "out"))


def test_an_output_folder_that_is_not_empty(files, tmp_path, capsys):
    """Somebody's files are never mixed with a report."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    assert "is not empty" in refused(capsys, *demo(files, out))
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_a_correction_that_needs_an_unreported_value(files, tmp_path, capsys):
    """Without a temperature the Q10 correction stops before any long work, and says how to give it."""
    protocol = tmp_path / "protocol.toml"
    protocol.write_text('[species]\nvalue = "Locusta migratoria"\n')
    told = refused(capsys, *demo(files, tmp_path / "out"), "--protocol", protocol)
    assert "needs temperature (degC), which is unreported" in told and "[temperature]" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("number", "seconds"), [(1, 1.5), (2, 0.8)])
def test_a_recording_that_is_too_short(files, tmp_path, capsys, number, seconds):
    """A recording that leaves nothing to fit, or nothing to judge, is refused before any long work."""
    stimulus, spikes = grasshopper.files(files, number)
    stimulus.write_text("\n".join(stimulus.read_text().split("\n")[: round(20_000 * seconds)]))
    lines = [line for line in spikes.read_text().split("\n") if line.startswith("#")]
    spikes.write_text("\n".join([*lines, "6700", "9900", "", ""]))
    told = refused(capsys, *demo(files, tmp_path / "out"))
    assert f"grasshopper_{number}: lasts {seconds:g} s" in told and not (tmp_path / "out").exists()


def test_a_recording_without_spikes_to_fit(files, tmp_path, capsys):
    """A training part with two spikes and a validation part with none is refused before any long work."""
    spikes = grasshopper.files(files, 1)[1]
    lines = [line for line in spikes.read_text().split("\n") if line.startswith("#")]
    spikes.write_text("\n".join([*lines, "6700", "9900", "", ""]))
    assert "the validation part has no spikes" in refused(capsys, *demo(files, tmp_path / "out"))


def test_data_list_show_and_get(tmp_path, capsys):
    """A public set is listed, shown with its licence, and becomes recordings that inspect can read."""
    main(["data", "list"])
    main(["data", "show", "grasshopper"])
    shown = capsys.readouterr().out
    assert "BSD-3-Clause" in shown and "Rokem" in shown
    main(["data", "get", "grasshopper", "--out", str(tmp_path / "recs")])
    assert {path.name for path in (tmp_path / "recs").iterdir()} == {"grasshopper_1.zarr", "grasshopper_2.zarr"}
    main(["inspect", str(tmp_path / "recs" / "grasshopper_1.zarr")])
    told = capsys.readouterr().out
    assert "929 spike" in told and "not reported" in told and "series_resistance" in told


def test_unknown_names_are_refused(tmp_path, capsys):
    """A data set that does not exist, a command without its argument, and a recording that is none."""
    assert "the sets are: grasshopper" in refused(capsys, "data", "show", "grashopper")
    assert "give the folder to write to with --out" in refused(capsys, "data", "get", "grasshopper")
    assert "no such recording" in refused(capsys, "inspect", tmp_path / "none.zarr")
    with pytest.raises(SystemExit) as caught:
        main(["dance"])
    assert caught.value.code == 2


def test_ingest_adds_a_protocol_file(files, tmp_path, capsys):
    """Two text files and a protocol file become one recording."""
    protocol = tmp_path / "p.toml"
    protocol.write_text('[temperature]\nvalue = 30.0\nsource = "thermometer"\n')
    pair = [str(path) for path in grasshopper.files(files, 1)]
    main(["ingest", *pair, "--out", str(tmp_path / "r.zarr"), "--protocol", str(protocol)])
    main(["inspect", str(tmp_path / "r.zarr")])
    told = capsys.readouterr().out
    assert "30 degC" in told and "thermometer" in told
    assert "exists already" in refused(capsys, "ingest", *pair, "--out", tmp_path / "r.zarr")


def test_ljp_states_its_convention(capsys):
    """The published potassium gluconate case of 15.6 mV with its sign spelled out; a charged solution is refused."""
    pipette, bath = "K 145, Na 13, Cl 10, gluconate 145, Mg 1, HEPES 5", "K 2.8, Na 145, Cl 148.8, Mg 2, Ca 1, HEPES 5"
    main(["ljp", "--pipette", pipette, "--bath", bath, "--temperature", "20"])
    told = capsys.readouterr().out
    assert "+15.61 mV" in told and "E_bath - E_pipette" in told and "-75.61 mV" in told
    assert "not electroneutral" in refused(capsys, "ljp", "--pipette", "K 100, Cl 10", "--bath", bath)


def test_help_names_every_command(capsys):
    """`twin --help` lists the commands with what they do."""
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    told = capsys.readouterr().out
    assert caught.value.code == 0
    for command in ("demo", "data", "ingest", "inspect", "ljp"):
        assert command in told
