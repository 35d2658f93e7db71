"""Downloads with huggingface_hub, from a server on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from soundalike.errors import CheckpointError
from soundalike.models.checkpoints.fetch import fetch
from soundalike.models.checkpoints.hub import hub_url, public_url
from soundalike.models.checkpoints.local_files import verify
from soundalike.models.checkpoints.record import read_record, record_path
from soundalike.models.checkpoints.table import CHECKPOINTS
from tests.models.checkpoints.hub_server import MIB, HubServer, content, row_of, sha256

pytestmark = pytest.mark.neural
pytest.importorskip("huggingface_hub", reason="needs the extra: neural")

from huggingface_hub import constants, file_download  # noqa: E402

FILES = {"weights.pt": content(3 * MIB + 5), "tokenizer.json": content(700, 2)}
ROW = row_of(FILES)
CHUNK = 1 << 16
COMPLETE = {*FILES, *(f"{name}.verified.json" for name in FILES)}


@pytest.fixture
def hub(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> HubServer:
    """The server in place of the Hub."""
    hub.publish(FILES)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", CHUNK)  # smaller pieces are lost when a connection breaks
    monkeypatch.setattr(file_download, "time", SimpleNamespace(sleep=lambda seconds: None))
    return hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints" / "toy"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".fetch.lock"}


def publish(hub: HubServer, name: str, data: bytes) -> None:
    hub.publish({**FILES, name: data})


@pytest.mark.parametrize("row", CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_hugging_face_has_every_file_at_its_address(row: object) -> None:
    for file in (file for file in row.files if not file.wheel):  # type: ignore[attr-defined]
        assert hub_url(file) == file.url


@pytest.mark.parametrize("pins", ["full", "prefix", "none"])
def test_downloaded_files_are_verified_and_installed(hub: HubServer, folder: Path, pins: str) -> None:
    row = row_of(FILES, pins=pins)
    progress: dict[str, list[tuple[int, int | None]]] = {}
    new = fetch(row, folder, progress=lambda file, *values: progress.setdefault(file.name, []).append(values))
    assert [file.name for file in new] == list(FILES)
    for name, data in FILES.items():
        assert progress[name][0] == (0, len(data))
        assert progress[name][-1] == (len(data), len(data))
    assert names(folder) == COMPLETE
    assert verify(row, folder).paths["weights.pt"].read_bytes() == FILES["weights.pt"]


def test_requests_name_soundalike_and_carry_no_token(
    hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetch(ROW, folder)
    for _, headers in hub.requests:
        assert str(headers["User-Agent"]).startswith("soundalike/")
        assert headers["Authorization"] is None
        assert headers["Accept-Encoding"] == "identity"


def test_intact_files_are_not_downloaded_again(hub: HubServer, folder: Path) -> None:
    fetch(ROW, folder)
    hub.requests.clear()
    assert fetch(ROW, folder) == []
    assert not hub.requests
    (folder / "tokenizer.json").unlink()
    assert [file.name for file in fetch(ROW, folder)] == ["tokenizer.json"]


def test_a_damaged_file_is_replaced(hub: HubServer, folder: Path) -> None:
    fetch(ROW, folder)
    (folder / "weights.pt").write_bytes(FILES["weights.pt"][:-1] + b"!")
    assert [file.name for file in fetch(ROW, folder)] == ["weights.pt"]
    verify(ROW, folder)


def test_a_mirror_has_the_layout_of_the_checkpoint_folder(hub: HubServer, folder: Path) -> None:
    hub.files = {f"/mirror/toy/{name}": data for name, data in FILES.items()}
    fetch(ROW, folder, mirror=f"{hub.url}/mirror/")
    verify(ROW, folder)


def test_redirects_are_followed(hub: HubServer, folder: Path) -> None:
    hub.moved = {path: f"/storage{path}" for path in hub.files}
    hub.files = {f"/storage{path}": data for path, data in hub.files.items()}
    fetch(ROW, folder)
    verify(ROW, folder)


@pytest.mark.parametrize("pins", ["full", "prefix"])
def test_a_file_with_a_wrong_digest_is_deleted(hub: HubServer, folder: Path, pins: str) -> None:
    publish(hub, "weights.pt", content(3 * MIB + 5, 8))
    with pytest.raises(
        CheckpointError, match=r"the file from http://.*/weights.pt is not weights.pt: .*it was deleted"
    ) as caught:
        fetch(row_of(FILES, pins=pins), folder)
    assert "\n" not in str(caught.value)
    assert names(folder) == set()
    assert len(hub.requests) == 1


def test_the_first_digest_of_an_unpinned_file_is_enforced(hub: HubServer, folder: Path) -> None:
    row = row_of(FILES, pins="none")
    fetch(row, folder)
    assert read_record(folder / "weights.pt").sha256 == sha256(FILES["weights.pt"])  # type: ignore[union-attr]
    (folder / "weights.pt").unlink()
    publish(hub, "weights.pt", b"another version")
    with pytest.raises(CheckpointError, match="is not the file that was first seen here"):
        fetch(row, folder)
    record_path(folder / "weights.pt").unlink()
    fetch(row, folder)
    assert verify(row, folder).paths["weights.pt"].read_bytes() == b"another version"


def test_a_new_pin_outweighs_an_old_record(hub: HubServer, folder: Path) -> None:
    fetch(ROW, folder)
    newer = {**FILES, "weights.pt": content(MIB, 8)}
    hub.publish(newer)
    fetch(row_of(newer), folder)
    verify(row_of(newer), folder)


def test_an_empty_file_is_refused(hub: HubServer, folder: Path) -> None:
    publish(hub, "weights.pt", b"")
    with pytest.raises(CheckpointError, match="is empty; it was deleted"):
        fetch(row_of(FILES, pins="none"), folder)


def test_a_file_of_another_size_is_refused(hub: HubServer, folder: Path) -> None:
    publish(hub, "weights.pt", b"<html>please log in</html>")
    with pytest.raises(CheckpointError, match=r"does not have the expected 3 MB: .*login page or proxy") as caught:
        fetch(ROW, folder)
    assert "\n" not in str(caught.value)
    hub.publish(FILES)
    fetch(ROW, folder)  # what was kept of the other file does no harm
    verify(ROW, folder)


# --- Interruptions ----------------------------------------------------------------------------------------------------


def test_a_closed_connection_is_resumed(hub: HubServer, folder: Path) -> None:
    hub.cuts = [MIB, MIB]
    fetch(ROW, folder)
    verify(ROW, folder)
    assert hub.ranges_requested == [None, f"bytes={MIB}-", f"bytes={2 * MIB}-", None]


def test_a_server_that_always_closes_the_connection_is_given_up(hub: HubServer, folder: Path) -> None:
    hub.cuts = [MIB] + [0] * 99
    with pytest.raises(
        CheckpointError,
        match=r"127.0.0.1 cannot be reached \(.*\); 1 MB of 3 MB are downloaded and kept. .*--mirror.*--from",
    ) as caught:
        fetch(ROW, folder)
    assert "\n" not in str(caught.value)
    assert (folder / "weights.pt.part").read_bytes() == FILES["weights.pt"][:MIB]


def test_an_interrupted_download_continues_in_the_next_call(hub: HubServer, folder: Path) -> None:
    hub.cuts = [MIB] + [0] * 20
    with pytest.raises(CheckpointError, match="are downloaded and kept"):
        fetch(ROW, folder)
    with pytest.raises(CheckpointError, match="continues where it stopped"):
        verify(ROW, folder)
    hub.cuts, hub.requests = [], []
    fetch(ROW, folder)
    assert hub.ranges_requested == [f"bytes={MIB}-", None]
    verify(ROW, folder)
    assert names(folder) == COMPLETE


def test_an_unpinned_file_is_not_resumed(hub: HubServer, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "weights.pt.part").write_bytes(content(MIB, 8))
    row = row_of(FILES, pins="none")
    fetch(row, folder)
    assert hub.ranges_requested == [None, None]
    verify(ROW, folder)


@pytest.mark.parametrize("size", [MIB, 4 * MIB])
def test_a_partial_file_of_another_version_is_replaced(hub: HubServer, folder: Path, size: int) -> None:
    folder.mkdir(parents=True)
    (folder / "weights.pt.part").write_bytes(content(size, 8))
    fetch(ROW, folder)
    verify(ROW, folder)
    assert hub.ranges_requested == ([f"bytes={MIB}-", None, None] if size == MIB else [None, None])
    assert names(folder) == COMPLETE


def test_a_server_without_ranges_starts_again(hub: HubServer, folder: Path) -> None:
    hub.ranges, hub.cuts = False, [MIB]
    fetch(ROW, folder)
    verify(ROW, folder)


def test_a_complete_partial_file_is_not_downloaded_again(hub: HubServer, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "weights.pt.part").write_bytes(FILES["weights.pt"])
    fetch(ROW, folder)
    assert [path.rpartition("/")[2] for path, _ in hub.requests] == ["tokenizer.json"]
    verify(ROW, folder)


FETCH = """
import signal
import sys
from pathlib import Path
from huggingface_hub import constants
from soundalike.models.checkpoints.fetch import fetch
from tests.models.checkpoints.test_hub import CHUNK, ROW
constants.DOWNLOAD_CHUNK_SIZE = CHUNK
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell may have it ignored
fetch(ROW, Path(sys.argv[1]))
"""


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_download_continues(hub: HubServer, folder: Path, sign: signal.Signals) -> None:
    hub.stall = 2 * MIB
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."]), "HF_ENDPOINT": hub.url}
    process = subprocess.Popen([sys.executable, "-c", FETCH, str(folder)], env=environment, stderr=subprocess.DEVNULL)
    part, deadline = folder / "weights.pt.part", time.monotonic() + 60
    try:
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(sign)
        assert process.wait(timeout=30) != 0
    finally:
        process.kill()
        process.wait()
        hub.stall = None
        hub.released.set()
    here = part.stat().st_size
    assert 0 < here < len(FILES["weights.pt"])
    assert not (folder / "weights.pt").exists()
    hub.requests.clear()
    fetch(ROW, folder)
    assert hub.ranges_requested[0] == f"bytes={here}-"
    verify(ROW, folder)
    assert names(folder) == COMPLETE


# --- Refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, r"/weights.pt was not found \(404 Not Found\); use another server"),
        (410, "was not found"),
        (401, "is refused .*in a browser, then import it: `soundalike models fetch --from`"),
        (403, "is refused"),
        (451, "answers 451 .*; try again later"),
        (503, "answers 503 Service Unavailable; try again later"),
    ],
)
def test_a_refusal_is_reported_in_one_line(hub: HubServer, folder: Path, status: int, message: str) -> None:
    hub.statuses = [status] * 9
    with pytest.raises(CheckpointError, match=message) as caught:
        fetch(ROW, folder)
    assert "\n" not in str(caught.value)


def test_no_server_is_reported_with_what_to_do(hub: HubServer, folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(
            CheckpointError, match=r"127.0.0.1 cannot be reached \(.*refused.*\). Check the network .*--mirror"
        ) as caught:
            fetch(ROW, folder, mirror=f"http://127.0.0.1:{free.getsockname()[1]}")
    assert "\n" not in str(caught.value)


def test_offline_mode_is_reported(hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointError, match="is not downloaded because HF_HUB_OFFLINE is set; unset it, or import"):
        fetch(ROW, folder)
    assert not hub.requests


@pytest.mark.parametrize(
    "mirror",
    [
        "file:///etc",
        "ftp://weights.invalid",
        "weights",
        "https:weights",
        "http://[",
        "https://a:b",
        "https://a\n",
        "https://" + 99 * "a",
    ],
)
def test_an_address_that_cannot_be_downloaded_is_refused(folder: Path, mirror: str) -> None:
    with pytest.raises(CheckpointError, match="is not a web address"):
        fetch(ROW, folder, mirror=mirror)


def test_plain_http_is_refused_for_files_that_cannot_be_verified(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"is plain http, .*; give an https address"):
        fetch(row_of(FILES, pins="prefix"), folder, mirror="http://weights.invalid")


def test_a_full_disk_is_reported(hub: HubServer, folder: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    folder.mkdir(parents=True)
    (folder / "weights.pt.part").symlink_to(full)  # every write to it fails with ENOSPC
    with pytest.raises(CheckpointError, match=r"the disk of .*weights.pt.part is full; make room .*continues$"):
        fetch(ROW, folder)


def test_a_partial_file_that_cannot_be_written_is_reported(hub: HubServer, folder: Path) -> None:
    (folder / "weights.pt.part").mkdir(parents=True)
    for pins in ("full", "none"):
        with pytest.raises(CheckpointError, match=r"weights.pt.part cannot be written \(Is a directory\)"):
            fetch(row_of(FILES, pins=pins), folder)


def test_user_names_and_signatures_are_not_shown() -> None:
    assert public_url("https://me:secret@host:8/a/b?X-Signature=secret#c") == "https://host:8/a/b"
