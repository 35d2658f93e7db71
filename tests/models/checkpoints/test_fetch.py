from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from soundalike.errors import CheckpointError
from soundalike.models.checkpoints.download import Patience
from soundalike.models.checkpoints.fetch import fetch, import_files
from soundalike.models.checkpoints.locate import locate
from soundalike.models.checkpoints.record import record_path, recorded
from tests.models.checkpoints.site import MIB, Site, content, row_of, sha256

FILES = {"weights.pt": content(3 * MIB + 5), "tokenizer.json": content(700, 2)}
HASTY = Patience(connect=5, read=5, attempts=2, pause=0.01)


@pytest.fixture
def site(site: Site) -> Site:
    site.files = {f"/{name}": data for name, data in FILES.items()}
    return site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints" / "toy"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".fetch.lock"}


WHOLE = {*FILES, *(f"{name}.verified.json" for name in FILES)}


@pytest.mark.parametrize("pins", ["full", "prefix", "none"])
def test_what_was_fetched_is_located(site: Site, folder: Path, pins: str) -> None:
    row = row_of(FILES, site.url, pins=pins)
    told: dict[str, int] = {}
    got = fetch(row, folder, progress=lambda file, here, total: told.update({file.name: here}), patience=HASTY)
    assert [file.name for file in got] == list(FILES)
    assert told == {name: len(data) for name, data in FILES.items()}
    assert names(folder) == WHOLE
    assert locate(row, folder).paths["weights.pt"].read_bytes() == FILES["weights.pt"]


def test_what_is_here_is_not_fetched(site: Site, folder: Path) -> None:
    row = row_of(FILES, site.url)
    fetch(row, folder, patience=HASTY)
    site.asked.clear()
    assert fetch(row, folder, patience=HASTY) == []
    assert not site.asked
    (folder / "tokenizer.json").unlink()
    assert [file.name for file in fetch(row, folder, patience=HASTY)] == ["tokenizer.json"]


def test_what_is_damaged_is_replaced(site: Site, folder: Path) -> None:
    row = row_of(FILES, site.url)
    fetch(row, folder, patience=HASTY)
    (folder / "weights.pt").write_bytes(FILES["weights.pt"][:-1] + b"!")
    assert [file.name for file in fetch(row, folder, patience=HASTY)] == ["weights.pt"]
    locate(row, folder)


def test_a_mirror_is_laid_out_as_the_folder_of_checkpoints(site: Site, folder: Path) -> None:
    site.files = {f"/mirror/toy/{name}": data for name, data in FILES.items()}
    fetch(row_of(FILES), folder, mirror=f"{site.url}/mirror/", patience=HASTY)
    locate(row_of(FILES), folder)


@pytest.mark.parametrize("pins", ["full", "prefix"])
def test_a_wrong_digest_leaves_nothing(site: Site, folder: Path, pins: str) -> None:
    site.files["/weights.pt"] = content(3 * MIB + 5, 8)
    with pytest.raises(
        CheckpointError, match=r"what http://.*/weights.pt gave is not weights.pt: .*it was removed"
    ) as caught:
        fetch(row_of(FILES, site.url, pins=pins), folder, patience=HASTY)
    assert "\n" not in str(caught.value)
    assert names(folder) == set()
    assert len(site.asked) == 1


def test_the_first_digest_is_enforced_on_later_downloads(site: Site, folder: Path) -> None:
    row = row_of(FILES, site.url, pins="none")
    fetch(row, folder, patience=HASTY)
    assert recorded(folder / "weights.pt").sha256 == sha256(FILES["weights.pt"])  # type: ignore[union-attr]
    (folder / "weights.pt").unlink()
    site.files["/weights.pt"] = b"another version"
    with pytest.raises(CheckpointError, match="is not what was first seen here"):
        fetch(row, folder, patience=HASTY)
    record_path(folder / "weights.pt").unlink()
    fetch(row, folder, patience=HASTY)
    assert locate(row, folder).paths["weights.pt"].read_bytes() == b"another version"


def test_a_pin_outweighs_what_was_recorded(site: Site, folder: Path) -> None:
    fetch(row_of(FILES, site.url), folder, patience=HASTY)
    newer = {**FILES, "weights.pt": content(MIB, 8)}
    site.files["/weights.pt"] = newer["weights.pt"]
    fetch(row_of(newer, site.url), folder, patience=HASTY)
    locate(row_of(newer), folder)


def test_a_part_of_another_version_is_not_kept_to(site: Site, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "weights.pt.part").write_bytes(content(MIB, 8))
    fetch(row_of(FILES, site.url), folder, patience=HASTY)
    locate(row_of(FILES, site.url), folder)
    assert site.ranges_asked[:2] == [f"bytes={MIB}-", None]
    assert names(folder) == WHOLE


def test_an_empty_file_is_refused(site: Site, folder: Path) -> None:
    site.files["/weights.pt"] = b""
    with pytest.raises(CheckpointError, match="is empty; it was removed"):
        fetch(row_of(FILES, site.url, pins="none"), folder, patience=HASTY)


FETCH = """
import sys
from pathlib import Path
from soundalike.models.checkpoints.fetch import fetch
from tests.models.checkpoints.site import row_of
from tests.models.checkpoints.test_fetch import FILES
fetch(row_of(FILES, sys.argv[1], pins=sys.argv[3]), Path(sys.argv[2]))
"""


def _killed(site: Site, folder: Path, pins: str, sign: signal.Signals) -> int:
    """A process that fetches, sent `sign` when the server has stopped in mid-file; its exit status."""
    site.stall = 2 * MIB
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])}
    process = subprocess.Popen(
        [sys.executable, "-c", FETCH, site.url, str(folder), pins], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        part, deadline = folder / "weights.pt.part", time.monotonic() + 60
        while not (part.exists() and part.stat().st_size >= MIB) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(sign)
        return process.wait(timeout=30)
    finally:
        process.kill()
        process.wait()
        site.stall = None
        site.released.set()


@pytest.mark.parametrize("pins", ["full", "none"])
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_fetch_is_gone_on_with(site: Site, folder: Path, pins: str, sign: signal.Signals) -> None:
    assert _killed(site, folder, pins, sign) != 0
    here = (folder / "weights.pt.part").stat().st_size
    assert MIB <= here < len(FILES["weights.pt"])
    assert not (folder / "weights.pt").exists()
    with pytest.raises(CheckpointError, match="begun"):
        locate(row_of(FILES, site.url, pins=pins), folder)
    site.asked.clear()
    fetch(row_of(FILES, site.url, pins=pins), folder, patience=HASTY)
    assert site.ranges_asked[0] == f"bytes={here}-"
    locate(row_of(FILES), folder)
    assert names(folder) == WHOLE


def test_two_fetches_do_not_meet(site: Site, folder: Path) -> None:
    folder.mkdir(parents=True)
    with FileLock(folder / ".fetch.lock"), pytest.raises(CheckpointError, match="another process is fetching"):
        fetch(row_of(FILES, site.url), folder, patience=HASTY)
    assert not site.asked


def test_space_is_looked_for_first(site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=3 * MIB)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(
        CheckpointError, match=r"has 3 MB free where 3 MB are needed; make room, or name another folder"
    ):
        fetch(row_of(FILES, site.url), folder, patience=HASTY)
    assert not site.asked
    with pytest.raises(CheckpointError, match="make room"):  # of unknown size: known when the server has answered
        fetch(row_of(FILES, site.url, pins="none"), folder, patience=HASTY)
    (folder / "weights.pt.part").write_bytes(FILES["weights.pt"][:MIB])
    fetch(row_of(FILES, site.url), folder, patience=HASTY)  # the rest fits


def test_where_nothing_can_be_put(site: Site, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        CheckpointError, match=r"the folder .*file/toy cannot be made \(Not a directory\); name another"
    ):
        fetch(row_of(FILES, site.url), tmp_path / "file" / "toy", patience=HASTY)
    (folder / "weights.pt").mkdir(parents=True)
    with pytest.raises(CheckpointError, match="is a folder where a file is expected; move it away"):
        fetch(row_of(FILES, site.url), folder, patience=HASTY)
    (folder / "weights.pt").rmdir()
    (folder / "weights.pt.part").mkdir()
    with pytest.raises(CheckpointError, match=r"weights.pt.part cannot be written \(Is a directory\)"):
        fetch(row_of(FILES, site.url), folder, patience=HASTY)


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    for name, data in FILES.items():
        (downloads / name).write_bytes(data)
    return downloads


def test_files_are_imported(downloads: Path, folder: Path) -> None:
    row = row_of(FILES)
    assert [file.name for file in import_files(row, folder, downloads)] == list(FILES)
    assert locate(row, folder).paths["weights.pt"].read_bytes() == FILES["weights.pt"]
    assert names(folder) == WHOLE
    assert import_files(row, folder, downloads) == []


def test_files_are_imported_from_a_copy_of_the_folder(downloads: Path, folder: Path) -> None:
    downloads.rename(downloads.parent / "toy")
    import_files(row_of(FILES), folder, downloads.parent)
    locate(row_of(FILES), folder)


def test_one_file_is_imported(downloads: Path, folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"weights.pt does not hold tokenizer.json of toy"):
        import_files(row_of(FILES), folder, downloads / "weights.pt")
    import_files(row_of(FILES), folder, downloads / "tokenizer.json")
    locate(row_of(FILES), folder)


@pytest.mark.parametrize("data", [FILES["weights.pt"][:-1] + b"!", FILES["weights.pt"][:-1], b""])
def test_another_file_is_not_imported(downloads: Path, folder: Path, data: bytes) -> None:
    (downloads / "weights.pt").write_bytes(data)
    with pytest.raises(
        CheckpointError, match=f"{downloads / 'weights.pt'} is not imported: it (is not weights.pt|has )"
    ) as caught:
        import_files(row_of(FILES), folder, downloads)
    assert "\n" not in str(caught.value)
    assert names(folder) == set()


def test_an_import_is_no_download(downloads: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "weights.pt.part").write_bytes(b"begun")
    shutil.copy(downloads / "tokenizer.json", folder)
    (downloads / "weights.pt").unlink()
    with pytest.raises(CheckpointError, match=r"does not hold weights.pt"):
        import_files(row_of(FILES), folder, downloads)
    assert (folder / "weights.pt.part").read_bytes() == b"begun"
    with pytest.raises(CheckpointError, match="is not there; name a file or folder"):
        import_files(row_of(FILES), folder, downloads / "nowhere")


def test_a_full_disk_stops_an_import(downloads: Path, folder: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    folder.mkdir(parents=True)
    (folder / "weights.pt.import").symlink_to(full)
    with pytest.raises(CheckpointError, match=r"the disk of .*is full; make room and run this again$"):
        import_files(row_of(FILES), folder, downloads)
