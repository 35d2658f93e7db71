from __future__ import annotations

import socket
from pathlib import Path

import pytest

from soundalike.errors import CheckpointError
from soundalike.models.checkpoints.download import Patience, download, shown_url
from tests.models.checkpoints.site import MIB, Site, content

DATA = content(3 * MIB + 5)
HASTY = Patience(connect=5, read=5, attempts=3, pause=0.01)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "weights.part"


def get(site: Site, part: Path, **more: object) -> None:
    download(f"{site.url}/weights", part, **{"patience": HASTY, **more})  # type: ignore[arg-type]


def test_a_file_arrives_and_its_progress_is_told(site: Site, part: Path) -> None:
    site.files["/weights"] = DATA
    told: list[tuple[int, int | None]] = []
    get(site, part, progress=lambda here, total: told.append((here, total)))
    assert part.read_bytes() == DATA
    assert told[0] == (0, len(DATA))
    assert told[-1] == (len(DATA), len(DATA))
    assert [here for here, _ in told] == sorted(here for here, _ in told)
    assert site.asked[0][1]["Accept-Encoding"] == "identity"
    assert str(site.asked[0][1]["User-Agent"]).startswith("soundalike/")


def test_a_file_of_unannounced_size_arrives(site: Site, part: Path) -> None:
    site.files["/weights"], site.announce = DATA, False
    get(site, part)
    assert part.read_bytes() == DATA


def test_a_cut_connection_is_gone_on_with(site: Site, part: Path) -> None:
    site.files["/weights"], site.cuts = DATA, [MIB, MIB]
    get(site, part)
    assert part.read_bytes() == DATA
    assert site.ranges_asked == [None, f"bytes={MIB}-", f"bytes={2 * MIB}-"]


def test_a_server_that_gives_a_little_each_time_is_gone_on_with(site: Site, part: Path) -> None:
    site.files["/weights"], site.cuts = DATA, [MIB, MIB, MIB]
    get(site, part, patience=Patience(connect=5, read=5, attempts=2, pause=0.01))
    assert part.read_bytes() == DATA
    assert len(site.asked) == 4


def test_a_server_without_ranges_begins_again(site: Site, part: Path) -> None:
    site.files["/weights"], site.cuts, site.ranges = DATA, [MIB], False
    get(site, part)
    assert part.read_bytes() == DATA


def test_a_server_that_always_breaks_off_is_given_up(site: Site, part: Path) -> None:
    site.files["/weights"], site.cuts, site.ranges = DATA, [MIB] * 99, False
    with pytest.raises(
        CheckpointError, match=r"127.0.0.1 broke off; 1 MB of 3 MB are here and kept: .*--mirror.*--from"
    ):
        get(site, part, size=len(DATA))
    assert len(site.asked) == HASTY.attempts
    assert part.read_bytes() == DATA[:MIB]


def test_a_server_that_only_seems_to_get_on_is_given_up(site: Site, part: Path) -> None:
    site.files["/weights"], site.cuts, site.ranges = DATA, [2 * MIB, MIB] * 99, False
    with pytest.raises(CheckpointError, match="broke off"):
        get(site, part)
    assert len(site.asked) == HASTY.attempts


def test_another_range_than_asked_for_is_not_pieced_together(site: Site, part: Path) -> None:
    site.files["/weights"], site.cuts, site.shift = DATA, [MIB], 1
    with pytest.raises(CheckpointError, match=r"gives another part of .* than was asked for"):
        get(site, part)
    assert part.read_bytes() == DATA[:MIB]


@pytest.mark.parametrize("known", [True, False])
def test_what_is_here_is_gone_on_with_later(site: Site, part: Path, known: bool) -> None:
    site.files["/weights"], site.cuts = DATA, [MIB, 0, 0]
    with pytest.raises(CheckpointError, match="kept"):
        get(site, part, digest_known=known)
    site.asked.clear()
    get(site, part, digest_known=known)
    assert part.read_bytes() == DATA
    assert site.ranges_asked == [f"bytes={MIB}-"]
    assert (site.asked[0][1]["If-Range"] is None) == known


def test_a_file_that_changed_in_between_is_fetched_anew(site: Site, part: Path) -> None:
    site.files["/weights"], site.cuts = DATA, [MIB, 0, 0]
    with pytest.raises(CheckpointError):
        get(site, part)
    site.files["/weights"] = other = content(2 * MIB, 7)
    get(site, part)
    assert part.read_bytes() == other


@pytest.mark.parametrize("tag", ["", "weak"])
def test_without_a_validator_nothing_is_pieced_together(site: Site, part: Path, tag: str) -> None:
    site.files["/weights"], site.cuts, site.tag = DATA, [MIB], tag
    get(site, part)
    assert part.read_bytes() == DATA
    assert site.ranges_asked == [None, None]


def test_the_rest_of_another_address_is_not_put_to_it(site: Site, part: Path) -> None:
    site.files["/weights"] = site.files["/elsewhere"] = DATA
    site.cuts = [MIB, 0, 0]
    with pytest.raises(CheckpointError):
        get(site, part)
    download(f"{site.url}/elsewhere", part, patience=HASTY)
    assert part.read_bytes() == DATA
    assert site.ranges_asked[-1] is None


def test_a_part_that_is_whole_already(site: Site, part: Path) -> None:
    part.write_bytes(DATA)
    get(site, part, size=len(DATA), digest_known=True)
    assert not site.asked
    site.files["/weights"] = DATA
    get(site, part, digest_known=True)  # of unknown size: 416 with this very length
    assert part.read_bytes() == DATA
    assert len(site.asked) == 1


def test_a_part_that_is_too_long_is_dropped(site: Site, part: Path) -> None:
    part.write_bytes(DATA + b"more")
    site.files["/weights"] = DATA
    get(site, part, digest_known=True)
    assert part.read_bytes() == DATA


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "/weights is not there .404 Not Found.; has it moved"),
        (410, "is not there"),
        (401, "refuses .*browser, then `soundalike models fetch --from`"),
        (403, "refuses"),
        (451, "answers 451"),
        (501, "answers 501"),
    ],
)
def test_refusals_are_told_at_once(site: Site, part: Path, status: int, words: str) -> None:
    site.files["/weights"], site.statuses = DATA, [status]
    with pytest.raises(CheckpointError, match=words) as caught:
        get(site, part)
    assert "\n" not in str(caught.value)
    assert len(site.asked) == 1


def test_a_passing_fault_is_waited_for(site: Site, part: Path) -> None:
    site.files["/weights"], site.statuses = DATA, [503, 429]
    get(site, part)
    assert part.read_bytes() == DATA


def test_a_lasting_fault_is_told(site: Site, part: Path) -> None:
    site.files["/weights"], site.statuses = DATA, [503] * 99
    with pytest.raises(CheckpointError, match=r"127.0.0.1 answers 503 Service Unavailable: is there a network"):
        get(site, part)
    assert len(site.asked) == HASTY.attempts


def test_a_silent_server_is_given_up(site: Site, part: Path) -> None:
    site.files["/weights"], site.stall = DATA, MIB
    patience = Patience(connect=5, read=0.2, attempts=1, pause=0.01)
    with pytest.raises(CheckpointError, match="broke off; 1 MB are here and kept"):
        get(site, part, patience=patience)
    assert part.read_bytes() == DATA[:MIB]


def test_nobody_there(part: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/weights"
        with pytest.raises(
            CheckpointError, match=r"127.0.0.1 cannot be reached \(it refuses the connection\): is there a net"
        ):
            download(address, part, patience=HASTY)


def test_an_unknown_name(part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(CheckpointError, match=r"weights.invalid cannot be reached \(its name is not known here\)"):
        download("https://weights.invalid/weights", part, patience=HASTY)


def test_redirects_are_followed(site: Site, part: Path) -> None:
    site.files["/there"] = DATA
    site.moved = {"/weights": "/on", "/on": f"{site.url}/there"}
    get(site, part)
    assert part.read_bytes() == DATA


@pytest.mark.parametrize(
    "place", ["http://weights.invalid/weights", "file:///etc/passwd", "ftp://weights.invalid/weights"]
)
def test_redirects_away_from_https_are_not_followed(site: Site, part: Path, place: str) -> None:
    site.moved = {"/weights": place}
    with pytest.raises(CheckpointError, match="which is not https; it is not followed"):
        get(site, part, digest_known=True)
    assert not part.exists()


def test_redirects_without_end(site: Site, part: Path) -> None:
    site.moved = {"/weights": "/weights"}
    with pytest.raises(CheckpointError, match="without end"):
        get(site, part)


def test_plain_http_is_for_what_can_be_checked(part: Path) -> None:
    with pytest.raises(CheckpointError, match="plain http"):
        download("http://weights.invalid/weights", part, patience=HASTY)
    for address in ("file:///etc/passwd", "ftp://weights.invalid/weights", "weights", "https:weights"):
        with pytest.raises(CheckpointError):
            download(address, part, digest_known=True, patience=HASTY)
    assert not part.exists()


def test_a_web_page_is_no_weights(site: Site, part: Path) -> None:
    site.files["/weights"], site.kind = b"<html>Please log in</html>", "text/html; charset=utf-8"
    with pytest.raises(CheckpointError, match="gives a web page, not a file"):
        get(site, part)
    assert not part.exists()


def test_another_size_is_told_before_anything_is_fetched(site: Site, part: Path) -> None:
    site.files["/weights"] = DATA
    with pytest.raises(CheckpointError, match=r"has 3,145,733 bytes where 1,000 are expected: it is another file"):
        get(site, part, size=1_000)
    assert not part.exists()


def test_more_than_announced_is_dropped(site: Site, part: Path) -> None:
    site.files["/weights"], site.announce = DATA, False
    with pytest.raises(CheckpointError, match="gave more than the 1,000 bytes"):
        get(site, part, size=1_000)
    assert not part.exists()


def test_names_and_signatures_are_not_shown() -> None:
    assert shown_url("https://me:secret@host:8/a/b?X-Signature=secret#c") == "https://host:8/a/b"


def test_a_full_disk_is_told_and_what_came_is_kept(site: Site, part: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    part.symlink_to(full)  # every write to it fails with ENOSPC
    site.files["/weights"] = DATA
    with pytest.raises(
        CheckpointError, match=r"the disk of .*weights.part is full; make room .*goes on where it stopped"
    ) as caught:
        get(site, part)
    assert "\n" not in str(caught.value)
    assert part.is_symlink()
