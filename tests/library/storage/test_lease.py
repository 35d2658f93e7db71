from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from soundalike.errors import LibraryError
from soundalike.library.storage import lease as module
from soundalike.library.storage.lease import LEASE_NAME, Lease, check_conditions, describe_holder
from soundalike.library.storage.location import OutdatedError, Remote
from soundalike.library.storage.lock import writing
from tests.object_store import ObjectStore, Request

pytestmark = pytest.mark.cluster

HOLD = """
import sys, time
from soundalike.library.storage import lease
from soundalike.library.storage.location import Remote
from soundalike.library.storage.lock import writing
lease.SECONDS = float(sys.argv[3])
with writing(Remote(sys.argv[1], sys.argv[2])) as check:
    print("held", flush=True)
    time.sleep(float(sys.argv[4]))
    check()
    print("still held", flush=True)
"""


@pytest.fixture
def library(bucket: str) -> Remote:
    return Remote(bucket, "library")


def _hold(library: Remote, seconds: float, sleep: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, library.bucket, library.key, str(seconds), str(sleep)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def _wait_and_take(library: Remote, patience: float = 60.0) -> None:
    """Take the lease and release it, once it is free."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return _take_now(library)
        except LibraryError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_a_second_writer_is_refused_naming_the_holder(library: Remote) -> None:
    with _hold(library, 30, 60) as process:
        try:
            with pytest.raises(LibraryError, match=rf"by process {process.pid} of .*\(if it was killed: in "):
                _take_now(library)
        finally:
            process.kill()


def _take_now(library: Remote) -> None:
    with writing(library):
        pass


def test_it_is_free_once_it_is_let_go_of(library: Remote) -> None:
    for _ in range(3):
        _take_now(library)
    with writing(library), pytest.raises(LibraryError, match=f"process {os.getpid()} "):
        _take_now(library)


def test_renewals_keep_it_longer_than_its_length(library: Remote) -> None:
    with _hold(library, 3, 5) as process:
        time.sleep(4.2)
        with pytest.raises(LibraryError, match="is being written"):
            _take_now(library)
        output, _ = process.communicate(timeout=20)
    assert output == "still held\n"


def test_a_killed_holder_keeps_it_until_it_expires(library: Remote) -> None:
    with _hold(library, 6, 60) as process:
        process.kill()
    with pytest.raises(LibraryError, match=rf"by process {process.pid} of .*\(if it was killed: in "):
        _take_now(library)
    _wait_and_take(library)


def test_a_holder_that_slept_past_its_lease_does_not_write(library: Remote) -> None:
    with _hold(library, 3, 0.5) as process:
        process.send_signal(signal.SIGSTOP)
        _wait_and_take(library)
        process.send_signal(signal.SIGCONT)
        output, error = process.communicate(timeout=20)
    assert output == ""
    assert "could not renew its lease" in error


def test_of_many_that_see_it_expired_one_takes_it(library: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Lease(library, {}, seconds=0.0)
    (library / LEASE_NAME).write(gone._text(), tag=None)
    first, second = Lease(library, {}), Lease(library, {})
    read = Remote.read

    def slow(place: Remote) -> object:
        """The other is faster between this one's look and its put."""
        found = read(place)
        monkeypatch.setattr(Remote, "read", read)
        second.take()
        return found

    monkeypatch.setattr(Remote, "read", slow)
    with pytest.raises(LibraryError, match="has just started to write"):
        first.take()
    second.check()
    second.release()


def test_a_put_whose_answer_was_lost_is_known_again(library: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Lease(library, {}, seconds=0.8)
    (library / LEASE_NAME).write(one._text(), tag=None)  # the first try, which got through
    one.take()
    (library / LEASE_NAME).overwrite(one._text())  # a renewal that got through
    time.sleep(0.5)
    one.check()
    one.release()
    assert '"released": true' in (library / LEASE_NAME).read_text()


def test_a_lease_that_was_taken_over_is_noticed_at_the_next_renewal(library: Remote) -> None:
    one = Lease(library, {}, seconds=4.0)
    one.take()
    other = Lease(library, {})
    (library / LEASE_NAME).overwrite(other._text())
    time.sleep(1.5)  # one renewal
    with pytest.raises(LibraryError, match="may be written by another"):
        one.check()
    one.release()
    assert f'"mine": "{other._mine}"' in (library / LEASE_NAME).read_text()


def test_a_store_out_of_reach_loses_it_in_time(
    library: Remote, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Lease(library, {}, seconds=1.5)
    one.take()

    def fails(self: Remote, text: str, *, tag: str | None) -> str:
        raise LibraryError("out of reach")

    monkeypatch.setattr(Remote, "write", fails)
    one.check()
    time.sleep(1.2)
    with pytest.raises(LibraryError, match="could not renew"):
        one.check()
    one.release()


def test_a_store_without_conditions_is_refused(library: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    check_conditions(library)
    assert library.names() == []
    write = Remote.write
    for ignored in ("If-None-Match", "If-Match"):

        def heedless(place: Remote, text: str, *, tag: str | None, ignored: str = ignored) -> str:
            try:
                return write(place, text, tag=tag)
            except OutdatedError:
                if (tag is None) == (ignored == "If-None-Match"):
                    return "taken"
                raise

        monkeypatch.setattr(Remote, "write", heedless)
        with pytest.raises(LibraryError, match=f"accepted a put under a condition .{ignored}"):
            check_conditions(library)
        assert library.names() == []


def test_holders_are_named() -> None:
    who = {"pid": 1, "user": "me", "host": "here", "since": "now", "command": "soundalike index"}
    assert describe_holder(who) == "process 1 of me on here since now (`soundalike index`)"
    assert describe_holder(None) == "another process"
    assert module.MARGIN < 1
    assert Request("GET", "/", None, None).if_match is None
