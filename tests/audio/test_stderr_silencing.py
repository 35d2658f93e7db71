from __future__ import annotations

import os
import threading

import pytest

from soundalike.audio.stderr_silencing import silenced_stderr


def test_output_inside_is_discarded_and_output_after_is_not(capfd: pytest.CaptureFixture[str]) -> None:
    with silenced_stderr(), silenced_stderr():
        os.write(2, b"inside")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_stderr_is_restored_after_an_exception(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), silenced_stderr():
        raise KeyError
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_concurrent_threads_leave_stderr_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    both_inside = threading.Barrier(8, timeout=10)

    def work() -> None:
        with silenced_stderr():
            both_inside.wait()
            os.write(2, b"x")
            both_inside.wait()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
