"""The command line, as processes and through click: exit codes, streams, formats."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from soundalike.cli import COMMANDS, cli
from soundalike.cli.common import clock, parse_range, parse_region, parse_seconds
from soundalike.errors import InputError


def run(*arguments: object, library: Path | None = None, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200"}
    if library is not None:
        environment["SOUNDALIKE_LIBRARY"] = str(library)
    return subprocess.run(
        [sys.executable, "-m", "soundalike", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment,
        check=False,
    )


@pytest.fixture(scope="module")
def song(music: Path) -> Path:
    return sorted((music / "songs").iterdir())[0]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_has_help_with_an_example(command: str) -> None:
    done = run(*([command] if command else []), "--help")
    assert done.returncode == 0
    assert "soundalike" in done.stdout.partition("Example")[2]
    assert not done.stderr


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom soundalike.cli import cli\n"
        "try: cli.main(['similar', '--help'])\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'librosa', 'lancedb', 'pyarrow', 'av', 'soundfile', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_hits_as_json(library: Path, song: Path) -> None:
    done = run("similar", song, "--weights", "drums=1,bass=.3", "-n", "2", "--format", "json", library=library)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["hits"]) == 2
    for hit in found["hits"]:
        assert hit["score"] == pytest.approx(sum(hit["contributions"].values()), abs=1e-5)
        assert Path(hit["path"]).is_file()
    assert found["weights"] == {"drums": 1.0, "bass": 0.3}
    assert "weights set by hand" in done.stderr


def test_hits_as_csv_m3u8_and_table_name_the_same_files(library: Path, song: Path) -> None:
    form = {
        name: run("similar", song, "-n", "3", "--format", name, library=library).stdout
        for name in ("csv", "m3u8", "table")
    }
    paths = [row["path"] for row in csv.DictReader(io.StringIO(form["csv"]))]
    lines = form["m3u8"].splitlines()
    assert lines[0] == "#EXTM3U"
    assert lines[2::2] == paths
    assert [line for line in lines[1::2] if not line.startswith("#EXTINF:")] == []
    assert all(Path(path).name in form["table"] for path in paths)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["similar", "nowhere.ogg"], 2, "nowhere.ogg"),
        (["similar", "SONG", "--weights", "kick=1"], 2, "kick"),
        (["similar", "SONG", "--region", "9-3"], 2, "9-3"),
        (["similar", "SONG", "--tempo", "fast"], 2, "fast"),
        (["similar", "SONG", "--key", "H moll minor"], 2, "H moll minor"),
        (["similar", "SONG", "--kind", "album"], 2, "album"),
        (["similar", "SONG", "--no-such"], 2, "--no-such"),
        (["similar", "BROKEN"], 3, "broken.wav"),
        (["similar", "SONG", "--library", "/nonexistent/place"], 4, "/nonexistent/place"),
        (["index", "/nonexistent/folder"], 2, "/nonexistent/folder"),
        (["compare", "SONG", "BROKEN"], 3, "broken.wav"),
        (["export", "--parquet", "/nonexistent/out.parquet"], 2, "/nonexistent/out.parquet"),
        (["import", "BROKEN"], 2, "broken.wav"),
        (["relocate", "nothing", "/tmp"], 2, "nothing"),
        (["nothing"], 2, "nothing"),
    ],
)
def test_what_goes_wrong_is_one_clear_line(
    library: Path, song: Path, tmp_path: Path, arguments: list[str], code: int, word: str
) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF but no more")
    named = {"SONG": str(song), "BROKEN": str(broken)}
    done = run(*(named.get(argument, argument) for argument in arguments), library=library)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert word in done.stderr
    assert not done.stdout


def test_compare_says_which_seconds(music: Path) -> None:
    one, other = sorted((music / "songs").iterdir())[:2]
    done = run("compare", one, other, "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["score"] == pytest.approx(sum(part["contribution"] for part in found["parts"]), abs=1e-5)
    assert [part["part"] for part in found["parts"]] == ["bass", "drums", "residuals", "mix"]
    same = json.loads(run("compare", one, one, "--format", "json").stdout)
    assert same["score"] == pytest.approx(4.0, abs=1e-3)
    assert same["seconds_a"] == same["seconds_b"]


def test_index_status_export_import_remove(music: Path, tmp_path: Path) -> None:
    place, out = tmp_path / "library", tmp_path / "vectors.parquet"
    first = run("index", music / "loops", music / "one-shots", library=place)
    assert first.returncode == 0, first.stderr
    again = run("index", library=place)
    assert again.returncode == 0, again.stderr
    status = json.loads(run("status", "--format", "json", library=place).stdout)
    assert sum(status["items"].values()) == 28
    assert run("export", "--parquet", out, library=place).returncode == 0
    other = tmp_path / "other"
    taken = run("import", out, library=other)
    assert taken.returncode == 0, taken.stderr
    reference = next((music / "loops").glob("*drums*"))
    answers = [
        json.loads(run("similar", reference, "--format", "json", library=where).stdout)["hits"]
        for where in (place, other)
    ]
    assert [hit["path"] for hit in answers[0]] == [hit["path"] for hit in answers[1]]
    assert [hit["score"] for hit in answers[0]] == pytest.approx([hit["score"] for hit in answers[1]], abs=2e-3)
    removed = run("remove", music / "loops", library=place)
    assert removed.returncode == 0, removed.stderr
    assert json.loads(run("status", "--format", "json", library=place).stdout)["items"] == {"one-shot": 20}


def test_ctrl_c_keeps_what_is_done_and_says_so(music: Path, tmp_path: Path) -> None:
    place = tmp_path / "library"
    process = subprocess.Popen(
        [sys.executable, "-m", "soundalike", "index", str(music), "--library", str(place), "--jobs", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline and not (place / "library.json").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=60)
    assert process.returncode == 130, words
    assert "interrupted" in words
    assert "run it again to continue" in words
    assert "Traceback" not in words
    done = run("index", music, library=place)
    assert done.returncode == 0, done.stderr
    assert "found 32" in done.stderr


def test_models_name_their_licences() -> None:
    found = json.loads(run("models", "--format", "json").stdout)
    assert found["encoders"]["builtin"]["licence"]
    assert found["separators"]["builtin"]["parts"] == ["bass", "drums", "residuals"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("62", 62), ("62.5", 62.5), ("1:02.5", 62.5), ("1:01:02", 3662), ("0:.5", 0.5)]
)
def test_seconds(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


def test_regions_and_ranges() -> None:
    assert parse_region("1:02-1:12") == (62, 72)
    assert parse_region("1:02-") == (62, None)
    assert parse_range("90-120", "BPM") == (90, 120)
    assert parse_range("90-", "BPM") == (90, None)
    assert parse_range("-120", "BPM") == (None, 120)
    low, high = parse_range("100", "BPM")
    assert low == pytest.approx(96)
    assert high == pytest.approx(104)


@pytest.mark.parametrize("text", ["", "abc", "1:2:3:4", "-", "1-2-3", "nan", "1e3"])
def test_what_is_no_region_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_region(text)
    if text != "1e3":
        with pytest.raises(InputError):
            parse_range(text, "BPM")


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00.0"), (62.54, "1:02.5"), (119.96, "2:00.0"), (3662, "61:02.0")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_score_and_file_are_shown_whatever_the_width(
    library: Path, song: Path, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    from soundalike.cli import result_formats
    from soundalike.search.finder import Finder

    found = Finder.open(library).similar(song, n=2)
    monkeypatch.setattr(result_formats, "stdout_console", lambda: Console(width=width, highlight=False))
    result_formats.print_result(found, "table")
    shown = "".join(capsys.readouterr().out.split())
    for hit in found.hits:
        assert f"{hit.score:.3f}" in shown
        # The path is long and may be folded: what is left of it without the fold must still be all there.
        assert "".join(Path(hit.path).stem.split())[:6] in shown


def test_groups_are_one_document_in_every_format(library: Path, song: Path) -> None:
    arguments = ("similar", song, "--hits", "--region", "0:00-0:08", "-n", "2", "--format")
    rows = list(csv.DictReader(io.StringIO(run(*arguments, "csv", library=library).stdout)))
    groups = json.loads(run(*arguments, "json", library=library).stdout)["groups"]
    playlist = run(*arguments, "m3u8", library=library).stdout
    paths = [hit["path"] for group in groups for hit in group["hits"]]
    assert [row["path"] for row in rows] == paths
    assert {row["group"] for row in rows} == {str(number) for number in range(1, len(groups) + 1)}
    assert playlist.count("#EXTM3U") == 1
    assert [line for line in playlist.splitlines() if not line.startswith("#")] == paths


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--hits", "--weights", "drums=1"], "--weights"),
        (["--hits", "--not", "SONG"], "--not"),
        (["--hits", "--kind", "song"], "one-shots or loops"),
    ],
)
def test_options_that_do_not_go_with_hits_are_refused(
    library: Path, song: Path, arguments: list[str], word: str
) -> None:
    named = [str(song) if argument == "SONG" else argument for argument in arguments]
    done = run("similar", song, *named, library=library)
    assert done.returncode == 2
    assert word in done.stderr


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A library of one-shots whose encoder knows words."""
    from soundalike.library.indexing import library_update
    from soundalike.library.indexing.index_options import index
    from soundalike.models.encoders import ENCODERS
    from tests.search.word_encoder import NAME, ROW, word_analyser, write_sounds

    folder = tmp_path_factory.mktemp("words")
    write_sounds(folder / "sounds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENCODERS, NAME, ROW)
        patch.setattr(library_update, "analyser", word_analyser)
        index(folder / "library", [folder / "sounds"], encoder=NAME, jobs=1)
        yield folder / "library"


def ask(library: Path, *arguments: str) -> Result:
    """A question in this process, where the encoder is known."""
    return CliRunner().invoke(cli, ["similar", "--library", str(library), *arguments], catch_exceptions=True)


def test_a_text_is_answered_with_scores_that_say_where_they_stand(words: Path) -> None:
    done = ask(words, "--text", "deep", "--format", "json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["query"] == {"label": '"deep"', "texts": ["deep"], "windows": [], "silent": [], "same": []}
    assert found["scales"]["one-shot"]["items"] == 12
    mean, deviation = found["scales"]["one-shot"]["mean"], found["scales"]["one-shot"]["deviation"]
    for hit in found["hits"]:
        assert hit["deviations"] == pytest.approx((hit["score"] - mean) / deviation)
        assert hit["score"] == pytest.approx(hit["cosines"]["mix"])
    assert [hit["above"] for hit in found["hits"][:3]] == pytest.approx([11 / 12, 10 / 12, 9 / 12])
    assert 'text: "deep"' in done.stderr
    assert "mix=1 (a text: only mix)" in done.stderr
    assert f"scale: 12 one-shots, mean score {mean:+.3f}, sd {deviation:.3f}" in done.stderr


def test_where_a_text_s_hits_stand_is_shown_in_the_table_and_in_csv(words: Path) -> None:
    hit = json.loads(ask(words, "--text", "deep", "-n", "1", "--format", "json").stdout)["hits"][0]
    table = ask(words, "--text", "deep", "-n", "1").stdout
    assert f"{hit['score']:.3f}" in table
    assert f"{hit['deviations']:+.1f} sd, above 91.6 %" in table  # 11 of 12, rounded down
    row = next(csv.DictReader(io.StringIO(ask(words, "--text", "deep", "-n", "1", "--format", "csv").stdout)))
    assert (float(row["deviations"]), float(row["above"])) == (hit["deviations"], hit["above"])
    assert "#EXTINF" in ask(words, "--text", "deep", "--format", "m3u8").stdout


def test_two_texts_and_what_it_must_not_be(words: Path) -> None:
    done = ask(words, "--text", "deep", "--text", "low", "--not-text", "deep", "--format", "json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["query"]["label"] == '"deep" + "low"'
    assert Path(found["hits"][0]["path"]).stem.startswith("low")
    assert set(found["hits"][0]["contributions"]) == {"mix", "not mix"}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "name a FILE or give --text"),
        (["--text", " "], "empty text"),
        (["--text", "low", "--region", "1-2"], "no seconds"),
        (["--text", "low", "--hits"], "--text does not go with --hits"),
        (["SONG", "--text", "low"], "ask twice"),
        (["SONG", "--not-text", "low"], "--not-text goes with --text"),
        (["--text", "low", "--not", "SONG"], "drown"),
    ],
)
def test_wrong_questions_in_words_are_refused(words: Path, song: Path, arguments: list[str], word: str) -> None:
    done = ask(words, *(str(song) if argument == "SONG" else argument for argument in arguments))
    assert isinstance(done.exception, InputError)
    assert word in str(done.exception)
    assert not done.stdout


def test_a_library_without_words_says_how_to_get_them(library: Path) -> None:
    done = run("similar", "--text", "dry funk snare", library=library)
    assert done.returncode == 2
    assert "--encoder clap" in done.stderr
    assert len(done.stderr.splitlines()) == 1
