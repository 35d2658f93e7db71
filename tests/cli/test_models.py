"""`soundalike models` and `models fetch`: what is said, where, and with which exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from soundalike.cli import main
from soundalike.models.checkpoints.table import CHECKPOINTS, Checkpoint
from tests.models.checkpoints.site import Site, content, row_of, serving

FILES = {"weights.pt": content(9_000), "tokenizer.json": content(700, 2)}
TERMS = "these weights are for looking at only"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as site:
        site.files = {f"/clap/{name}": data for name, data in FILES.items()}
        yield site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line in this process, with its own folder of checkpoints; exit code, stdout, stderr."""
    for name in [name for name in os.environ if name.startswith("SOUNDALIKE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SOUNDALIKE_CHECKPOINTS", str(folder))
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["soundalike", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Checkpoint]:
    """Puts a small checkpoint in the place of CLAP's."""

    def put(**more: str | None) -> Checkpoint:
        row = row_of(FILES, **more)  # type: ignore[arg-type]
        row = Checkpoint("clap", row.summary, row.files, row.licence, row.non_commercial, row.homepage, row.terms)
        monkeypatch.setitem(CHECKPOINTS, "clap", row)
        return row

    return put


def listed(run: Run) -> dict[str, object]:
    code, out, _ = run("models", "--format", "json")
    assert code == 0
    checkpoint: dict[str, object] = json.loads(out)["encoders"]["clap"]["checkpoint"]
    return checkpoint


def test_the_list_says_what_is_not_here(run: Run, folder: Path) -> None:
    code, out, err = run("models")
    assert (code, err) == (0, "")
    for name, row in CHECKPOINTS.items():
        assert row.licence in out
        assert f"not here: soundalike models fetch {name}" in out
    assert "2.66 GB" in out
    assert "non-commercial use only" in out
    assert not folder.exists()  # looking leaves nothing behind


def test_the_json_names_every_file_and_where_it_comes_from(run: Run, folder: Path) -> None:
    _, out, _ = run("models", "--format", "json")
    found = json.loads(out)
    assert found["encoders"]["builtin"]["checkpoint"] is None
    muq = found["encoders"]["muq-mulan"]
    assert muq["extra"] == "neural"
    assert muq["precisions"] == ["exact", "fast"]
    assert muq["checkpoint"]["non_commercial"] is True
    files = {file["name"]: file for file in muq["checkpoint"]["files"]}
    assert files["pytorch_model.bin"]["path"] == str(folder / "muq-mulan" / "pytorch_model.bin")
    for file in files.values():
        assert file["state"] == "missing"
        assert file["pin"] == "pinned"
        assert file["url"].startswith("https://huggingface.co/")
        assert file["pinned_sha256"]
        assert file["source"]
    assert found["separators"]["htdemucs"]["parts"] == ["bass", "drums", "vocals", "residuals"]
    assert len(found["profiles"]) >= 4


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_the_list_fits_a_narrow_terminal(columns: int, folder: Path) -> None:
    environment = {
        **os.environ,
        "COLUMNS": str(columns),
        "TERM": "xterm",
        "TTY_COMPATIBLE": "1",
        "NO_COLOR": "1",
        "SOUNDALIKE_CHECKPOINTS": str(folder),
    }
    code = "from rich.console import Console\nConsole.is_terminal = True\nfrom soundalike.cli import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", code, "models"], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    shown = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    assert max(cell_len(line) for line in shown.splitlines()) <= columns
    assert "…" not in shown  # nothing is cut
    said = "".join(shown.split())
    for name in CHECKPOINTS:
        assert f"soundalikemodelsfetch{name}" in said


def test_fetched_from_a_mirror(run: Run, site: Site, folder: Path, toy: Callable[..., Checkpoint]) -> None:
    toy(terms=TERMS)
    code, out, err = run("models", "fetch", "clap", "--mirror", site.url)
    assert (code, out) == (0, "")
    assert err.splitlines()[0] == f"licence: {TERMS}."
    assert f"clap: weights.pt (9 kB), tokenizer.json (700 B), verified, in {folder / 'clap'}" in err
    assert listed(run)["state"] == "here"
    assert f"weights (10 kB): here, in {folder / 'clap'}" in run("models")[1]
    code, _, err = run("models", "fetch", "clap")
    assert code == 0
    assert "all here already" in err


def test_the_mirror_of_the_environment(
    run: Run, site: Site, toy: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    toy()
    monkeypatch.setenv("SOUNDALIKE_MIRROR", site.url)
    assert run("models", "fetch", "clap")[0] == 0
    assert listed(run)["state"] == "here"


def test_what_is_not_pinned_is_said(run: Run, site: Site, toy: Callable[..., Checkpoint]) -> None:
    row = toy(pins="none")
    assert "weights (size unknown, unpinned): not here" in run("models")[1]
    _, _, err = run("models", "fetch", "clap", "--mirror", site.url)
    found = listed(run)
    assert found["pin"] == "unpinned"
    for file in row.files:
        assert f"{file.name} is unpinned: its SHA-256 is " in err
    toy(pins="prefix")
    assert "pinned by 8 hex digits): here" in run("models")[1]


def test_a_damaged_and_an_incomplete_checkpoint_are_told(
    run: Run, site: Site, folder: Path, toy: Callable[..., Checkpoint]
) -> None:
    toy()
    run("models", "fetch", "clap", "--mirror", site.url)
    (folder / "clap" / "weights.pt").write_bytes(FILES["weights.pt"][:100])
    assert listed(run)["state"] == "damaged"
    words = " ".join(run("models")[1].split())
    assert "DAMAGED" in words
    assert "is cut short: it has 100 bytes" in words
    (folder / "clap" / "weights.pt").unlink()
    assert listed(run)["state"] == "incomplete"
    (folder / "clap" / "weights.pt.part").write_bytes(FILES["weights.pt"][:4_500])
    assert "incomplete, without weights.pt (50% fetched): soundalike models fetch clap" in run("models")[1]


def test_imported(run: Run, folder: Path, tmp_path: Path, toy: Callable[..., Checkpoint]) -> None:
    toy()
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    code, _, err = run("models", "fetch", "clap", "--from", tmp_path)
    assert (code, listed(run)["state"]) == (0, "here"), err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "name the models to fetch, or give --all; there are clap, "),
        (["clap", "--all"], 2, "name the models to fetch, or give --all"),
        (["nope"], 2, "unknown checkpoint 'nope'; there are clap, "),
        (["builtin"], 2, "builtin needs no weights"),
        (["stems"], 2, "stems needs no weights"),
        (["htdemucs", "--mirror", "{site}"], 5, "/htdemucs/955717e8.safetensors is not there (404 Not Found)"),
        (["clap", "--mirror", "{site}/wrong"], 5, "has 5 bytes where 1,863,587,645 are expected: it is another file"),
        (["clap", "--mirror", "ftp://127.0.0.1"], 5, "is no web address"),
        (["clap", "--from", "{folder}"], 5, "is not there; name a file or folder"),
        (["htdemucs", "--from", "{downloads}"], 5, "does not hold 955717e8.safetensors of htdemucs"),
        (["clap", "--from", "{downloads}"], 5, "630k-audioset-best.pt is not imported: it has 5 bytes"),
    ],
)
def test_every_failure_is_one_line(
    run: Run, site: Site, folder: Path, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    site.files["/wrong/clap/630k-audioset-best.pt"] = b"other"
    (tmp_path / "630k-audioset-best.pt").write_bytes(b"other")
    places = {"site": site.url, "folder": folder / "none", "downloads": tmp_path}
    left, out, err = run("models", "fetch", *(argument.format(**places) for argument in arguments))
    assert (left, out) == (code, "")
    said = [line for line in err.splitlines() if not line.startswith("licence: ")]
    assert len(said) == 1, err
    assert said[0].startswith("soundalike: ")
    assert words in said[0]


def test_an_interrupted_fetch_leaves_with_130(run: Run, site: Site, toy: Callable[..., Checkpoint]) -> None:
    toy()
    code = (
        "import signal, sys, threading\n"
        "from soundalike.models.checkpoints import fetch\n"
        "def stop(*a, **k): signal.raise_signal(signal.SIGINT)\n"
        "fetch.download = stop\n"
        "from soundalike.cli import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "models", "fetch", "htdemucs"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1] == "soundalike: interrupted; what has arrived is kept, run this again to go on"
    assert "Traceback" not in done.stderr
