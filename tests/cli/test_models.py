"""`soundalike models` and `models fetch`: output and exit codes."""

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
from soundalike.models.checkpoints import hub
from soundalike.models.checkpoints.table import CHECKPOINTS, Checkpoint
from tests.models.checkpoints.hub_server import HubServer, content, row_of, serving

FILES = {"weights.pt": content(9_000), "tokenizer.json": content(700, 2)}
TERMS = "these weights are for looking at only"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def mirror() -> Iterator[HubServer]:
    """A server with the files of the small checkpoint, in a mirror's layout."""
    pytest.importorskip("huggingface_hub", reason="needs the extra: neural")
    with serving(HubServer()) as mirror:
        mirror.files = {f"/clap/{name}": data for name, data in FILES.items()}
        yield mirror


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process with its own folder of checkpoints; returns exit code, stdout, stderr."""
    for name in [name for name in os.environ if name.startswith("SOUNDALIKE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SOUNDALIKE_CHECKPOINTS", str(folder))
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["soundalike", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit:
            main()
        out, err = capsys.readouterr()
        return int(exit.value.code or 0), out, err

    return run


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Checkpoint]:
    """Replaces CLAP's checkpoint by a small one."""

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


def test_the_list_shows_what_is_not_downloaded(run: Run, folder: Path) -> None:
    code, out, err = run("models")
    assert (code, err) == (0, "")
    for name, row in CHECKPOINTS.items():
        assert row.licence in out
        assert f"not downloaded: soundalike models fetch {name}" in out
    assert "2.66 GB" in out
    assert "non-commercial use only" in out
    assert not folder.exists()  # listing creates nothing


def test_the_json_has_every_file_and_its_source(run: Run, folder: Path) -> None:
    _, out, _ = run("models", "--format", "json")
    models = json.loads(out)
    assert models["encoders"]["builtin"]["checkpoint"] is None
    muq = models["encoders"]["muq-mulan"]
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
    assert models["separators"]["htdemucs"]["parts"] == ["bass", "drums", "vocals", "residuals"]
    assert len(models["profiles"]) >= 4


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
    text = "".join(shown.split())
    for name in CHECKPOINTS:
        assert f"soundalikemodelsfetch{name}" in text


@pytest.mark.neural
def test_weights_are_fetched_from_a_mirror(
    run: Run, mirror: HubServer, folder: Path, toy: Callable[..., Checkpoint]
) -> None:
    toy(terms=TERMS)
    code, out, err = run("models", "fetch", "clap", "--mirror", mirror.url)
    assert (code, out) == (0, "")
    assert err.splitlines()[0] == f"licence: {TERMS}."
    assert f"clap: weights.pt (9 kB), tokenizer.json (700 B), verified, in {folder / 'clap'}" in err
    assert listed(run)["state"] == "here"
    assert f"weights (10 kB): in {folder / 'clap'}" in run("models")[1]
    code, _, err = run("models", "fetch", "clap")
    assert code == 0
    assert "all files exist already" in err


@pytest.mark.neural
def test_the_mirror_can_be_set_in_the_environment(
    run: Run, mirror: HubServer, toy: Callable[..., Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    toy()
    monkeypatch.setenv("SOUNDALIKE_MIRROR", mirror.url)
    assert run("models", "fetch", "clap")[0] == 0
    assert listed(run)["state"] == "here"


FETCH_TOY = """
from soundalike.cli import main
from soundalike.models.checkpoints.table import CHECKPOINTS
from tests.cli.test_models import FILES
from tests.models.checkpoints.hub_server import row_of
row = CHECKPOINTS["toy"] = row_of(FILES)
main()
"""


def fetch_toy(hub: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """`models fetch toy` in a process of its own, from the Hub at the address `hub`."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(["src", "."]),
        "SOUNDALIKE_CHECKPOINTS": str(folder),
        "HF_ENDPOINT": hub,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        **more,
    }
    arguments = [sys.executable, "-c", FETCH_TOY, "models", "fetch", "toy"]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False, env=environment)


@pytest.mark.neural
def test_weights_are_fetched_from_the_server_that_hf_endpoint_names(mirror: HubServer, folder: Path) -> None:
    mirror.publish(FILES)
    done = fetch_toy(mirror.url, folder)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert f"toy: weights.pt (9 kB), tokenizer.json (700 B), verified, in {folder / 'toy'}" in done.stderr
    assert (folder / "toy" / "weights.pt").read_bytes() == FILES["weights.pt"]


@pytest.mark.neural
def test_offline_mode_is_one_line_and_exit_code_5(mirror: HubServer, folder: Path) -> None:
    mirror.publish(FILES)
    done = fetch_toy(mirror.url, folder, HF_HUB_OFFLINE="1")
    assert (done.returncode, done.stdout) == (5, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "is not downloaded because HF_HUB_OFFLINE is set" in done.stderr
    assert not mirror.requests


def test_without_the_extra_the_message_names_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "find_spec", lambda name: None)
    code, out, err = run("models", "fetch", "clap")
    assert (code, out) == (2, "")
    assert err.startswith(
        "soundalike: downloading weights needs huggingface_hub: pip install 'soundalike[neural]', or "
    )
    assert len(err.splitlines()) == 1


@pytest.mark.neural
def test_unpinned_files_are_marked(run: Run, mirror: HubServer, toy: Callable[..., Checkpoint]) -> None:
    row = toy(pins="none")
    assert "weights (size unknown, unpinned): not downloaded" in run("models")[1]
    _, _, err = run("models", "fetch", "clap", "--mirror", mirror.url)
    assert listed(run)["pin"] == "unpinned"
    for file in row.files:
        assert f"{file.name} is unpinned: its SHA-256 is " in err
    toy(pins="prefix")
    assert "pinned by 8 hex digits): in " in run("models")[1]


def write_files(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(data)


def test_damaged_and_incomplete_checkpoints_are_reported(
    run: Run, folder: Path, toy: Callable[..., Checkpoint]
) -> None:
    toy()
    write_files(folder / "clap")
    (folder / "clap" / "weights.pt").write_bytes(FILES["weights.pt"][:100])
    assert listed(run)["state"] == "damaged"
    text = " ".join(run("models")[1].split())
    assert "DAMAGED" in text
    assert "is truncated: it has 100 bytes" in text
    (folder / "clap" / "weights.pt").unlink()
    assert listed(run)["state"] == "incomplete"
    (folder / "clap" / "weights.pt.part").write_bytes(FILES["weights.pt"][:4_500])
    assert "incomplete, without weights.pt (50% downloaded): soundalike models fetch clap" in run("models")[1]


def test_files_are_imported(run: Run, tmp_path: Path, toy: Callable[..., Checkpoint]) -> None:
    toy()
    write_files(tmp_path / "downloads")
    code, _, err = run("models", "fetch", "clap", "--from", tmp_path / "downloads")
    assert (code, listed(run)["state"]) == (0, "here"), err


def check_one_line(run: Run, arguments: list[str], code: int, message: str) -> None:
    exit_code, out, err = run("models", "fetch", *arguments)
    assert (exit_code, out) == (code, "")
    lines = [line for line in err.splitlines() if not line.startswith("licence: ")]
    assert len(lines) == 1, err
    assert lines[0].startswith("soundalike: ")
    assert message in lines[0]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "name the models to fetch, or give --all; choose among clap, "),
        (["clap", "--all"], 2, "name the models to fetch, or give --all"),
        (["nope"], 2, "unknown checkpoint 'nope'; choose one of clap, "),
        (["builtin"], 2, "builtin needs no weights"),
        (["stems"], 2, "stems needs no weights"),
        (["clap", "--from", "{folder}"], 5, "does not exist; give a file or folder"),
        (["htdemucs", "--from", "{downloads}"], 5, "does not have 955717e8.safetensors of htdemucs"),
        (["clap", "--from", "{downloads}"], 5, "630k-audioset-best.pt is not imported: it has 5 bytes"),
    ],
)
def test_every_failure_is_one_line(
    run: Run, folder: Path, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    (tmp_path / "630k-audioset-best.pt").write_bytes(b"other")
    places = {"folder": folder / "none", "downloads": tmp_path}
    check_one_line(run, [argument.format(**places) for argument in arguments], code, message)


@pytest.mark.neural
@pytest.mark.parametrize(
    ("name", "mirror_address", "message"),
    [
        ("htdemucs", "{mirror}", "/htdemucs/955717e8.safetensors was not found (404 Not Found)"),
        ("clap", "{mirror}/wrong", "does not have the expected 1.86 GB"),
        ("clap", "ftp://127.0.0.1", "is not a web address"),
    ],
)
def test_every_failed_download_is_one_line(
    run: Run, mirror: HubServer, name: str, mirror_address: str, message: str
) -> None:
    mirror.files["/wrong/clap/630k-audioset-best.pt"] = b"other"
    check_one_line(run, [name, "--mirror", mirror_address.format(mirror=mirror.url)], 5, message)


def test_an_interrupted_fetch_exits_with_130(folder: Path) -> None:
    code = (
        "import signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background shell may have it ignored
        "from soundalike.models.checkpoints import fetch\n"
        "def stop(*arguments, **options): signal.raise_signal(signal.SIGINT)\n"
        "fetch.require_huggingface_hub = stop\n"
        "from soundalike.cli import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "models", "fetch", "htdemucs"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "SOUNDALIKE_CHECKPOINTS": str(folder)},
    )
    assert done.returncode == 130
    last = done.stderr.splitlines()[-1]
    assert last == "soundalike: interrupted; what was downloaded is kept, run this again to continue"
    assert "Traceback" not in done.stderr


def test_check_prints_the_result_of_a_model(run: Run) -> None:
    code, out, err = run("models", "check", "builtin")
    assert (code, err) == (0, "")
    first, encoder, tone, noise, separator, *stems = out.splitlines()
    assert first.startswith("builtin on auto, exact; ")
    assert "soundalike 0." in first
    assert encoder.startswith("encoder: version 2, loaded in ")
    assert separator.startswith("separator: version 2, loaded in ")
    for line in (tone, noise):
        assert "norm 1.000000" in line
        assert len(line.partition("values ")[2].split()) == 8
    assert len(stems) == 4
    code, out, _ = run("models", "check", "builtin", "--format", "json")
    facts = json.loads(out)
    assert set(facts["encoder"]["results"]) == {"tone", "noise"}
    assert facts["separator"]["digest"] is None


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("nope", 2, "unknown model 'nope'; choose one of builtin, "),
        ("stems", 2, "stems reads stems from files and computes nothing"),
    ],
)
def test_check_refuses_what_it_cannot_run(run: Run, name: str, code: int, message: str) -> None:
    exit_code, out, err = run("models", "check", name)
    assert (exit_code, out) == (code, "")
    assert message in err
