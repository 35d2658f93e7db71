"""Simulated listeners answer a listening test while its server is killed again and again: is an answer lost or doubled?

    python -m benchmarks.listening_drill [--listeners 200] [--seconds 600] [--think 4] [--kill-every 20]

Makes a test with generated excerpts, starts `soundalike listen run` as a separate process, and lets each listener ask for the
next trial, wait about `--think` seconds, and answer. Like the page, a listener repeats a request until the server answers it.
Every `--kill-every` seconds (about) the server gets `kill -9` and is started again on the same port. Some answers are sent twice
on purpose. At the end the answers in the store are compared with those that the server confirmed:

- lost: confirmed to the listener, but not in the store, or with another answer;
- doubled: more than one row for a listener and trial;
- out of order: the trials of a listener are not the first ones of their schedule.

Exits with code 1 if there is any. Loopback only.
"""

from __future__ import annotations

import argparse
import collections
import http.client
import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.shared.markdown import print_table
from soundalike.listening.answer_database import AnswerDatabase
from soundalike.listening.answer_record import TRIAL_ANSWERS
from soundalike.listening.answer_store import AnswerStore, Listener
from soundalike.listening.design import read_design
from soundalike.listening.schedule import trials
from tests.made_up_listening_test import write_listening_test

START_SECONDS = 300
"""On a busy machine a server takes long to start."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
"""Seconds before a failed request is repeated, doubled each time, as the page does."""
OTHER_SIDE = {"A+": "B+", "A-": "B-", "B-": "A-", "B+": "A+", "cant_tell": "cant_tell"}


class Server:
    """`soundalike listen run` on a port of its own, which it keeps when it is killed and started again."""

    def __init__(self, library: Path, name: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self._command = [
            *(sys.executable, "-m", "soundalike", "listen", "run", name, "-L", str(library)),
            *("--port", str(self.port), "--no-browser"),
        ]
        self.kills = 0
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if self._process.poll() is not None:
                    sys.exit(f"the server ended with code {self._process.returncode}: {' '.join(self._command)}")
                time.sleep(0.1)
            else:
                return
        sys.exit(f"the server did not answer within {START_SECONDS} s")

    def kill(self) -> None:
        """`kill -9`."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.kills += 1

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(30)


@dataclass
class Counts:
    """What happened to requests, over all listeners."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    retried: int = 0
    repeated: int = 0
    refused: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class SimulatedListener(threading.Thread):
    """Answers trial after trial until a deadline. confirmed: trial -> answer as it was shown, of each confirmed answer."""

    def __init__(self, listener: Listener, port: int, think: float, deadline: float, counts: Counts) -> None:
        super().__init__(daemon=True)
        self.listener = listener
        self.confirmed: dict[str, str] = {}
        self._port, self._think, self._deadline, self._counts = port, think, deadline, counts
        self._random = random.Random(listener.index)
        self._connection = self._new_connection()

    def run(self) -> None:
        time.sleep(self._random.uniform(0, self._think))
        progress = self._request("GET", "/api/progress")
        while time.monotonic() < self._deadline and progress is not None and progress["trial"] is not None:
            trial = progress["trial"]["id"]
            time.sleep(self._random.uniform(0.5, 1.5) * self._think)
            answer = self._random.choice(TRIAL_ANSWERS)
            body = {"answer": answer, "heard": {"x": 2, "a": 2, "b": 2}, "switches": 3, "seconds": self._think}
            path = f"/api/trials/{trial}/answer"
            start = time.monotonic()
            given = self._request("POST", path, body)
            if given is None:
                return  # the end of the drill: whether it was stored is not known
            self.confirmed[trial] = answer
            with self._counts.lock:
                self._counts.seconds.append(time.monotonic() - start)
            if self._random.random() < 0.05:  # a page whose response was lost sends it again
                other = self._random.choice([one for one in TRIAL_ANSWERS if one != answer])
                self._request("POST", path, {**body, "answer": other})
                with self._counts.lock:
                    self._counts.repeated += 1
            progress = given["progress"]

    def _request(
        self, method: str, path: str, body: dict[str, object] | None = None
    ) -> dict[str, dict[str, str]] | None:
        """The response, repeated until the server answers; None when the drill is over."""
        headers = {"X-Listener": self.listener.token, "Content-Type": "application/json"}
        pause = FIRST_PAUSE
        while time.monotonic() < self._deadline + START_SECONDS:
            try:
                self._connection.request(method, path, None if body is None else json.dumps(body), headers)
                response = self._connection.getresponse()
                data = response.read()
            except (OSError, http.client.HTTPException):
                self._connection.close()
                self._connection = self._new_connection()
            else:
                if response.status == 200:
                    return dict(json.loads(data))
                if response.status < 500 and response.status not in (408, 409):  # the page gives up as well
                    with self._counts.lock:
                        self._counts.refused.append(f"{response.status} {data[:200]!r}")
                    return None
            with self._counts.lock:
                self._counts.retried += 1
            time.sleep(self._random.uniform(0.5, 1.0) * pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        return None

    def _new_connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)


def faults_of(folder: Path, listeners: list[SimulatedListener]) -> dict[str, list[str]]:
    """What is wrong in the store, by kind of fault."""
    design = read_design(folder)
    store = AnswerStore(folder / "answers.sqlite")
    faults: dict[str, list[str]] = {"lost": [], "doubled": [], "out of order": []}
    for one in listeners:
        name, schedule = one.listener.name, trials(design, one.listener.index)
        swapped = {trial.id: trial.swapped for trial in schedule}
        records = store.records(name)
        kept = {record.trial: record.answer for record in records}
        for trial, answer in one.confirmed.items():
            if kept.get(trial) != (OTHER_SIDE[answer] if swapped[trial] else answer):
                faults["lost"].append(f"{name} {trial}: {answer}, stored {kept.get(trial)}")
        if [record.trial for record in records] != [trial.id for trial in schedule[: len(records)]]:
            faults["out of order"].append(name)
    rows = AnswerDatabase(folder / "answers.sqlite").rows(
        "SELECT listener, trial FROM answers UNION ALL SELECT listener, trial FROM cant_tell"
    )
    counted = collections.Counter((row["listener"], row["trial"]) for row in rows)
    faults["doubled"] = [f"{key}" for key, count in counted.items() if count > 1]
    (check,) = AnswerDatabase(folder / "answers.sqlite").rows("PRAGMA integrity_check")
    if check[0] != "ok":
        faults["damaged"] = [str(check[0])]
    store.close()
    return faults


def drill(arguments: argparse.Namespace, library: Path) -> int:
    """Run it; the exit code."""
    folder = write_listening_test(library, "drill", triplets=arguments.triplets, seconds=0.05)
    store = AnswerStore(folder / "answers.sqlite")
    invited = store.invite(arguments.listeners)
    store.close()
    server = Server(library, "drill")
    deadline = time.monotonic() + arguments.seconds
    counts = Counts()
    listeners = [SimulatedListener(one, server.port, arguments.think, deadline, counts) for one in invited]
    for one in listeners:
        one.start()
    rng = random.Random(1)
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, rng.uniform(0.5, 1.5) * arguments.kill_every))
        if time.monotonic() < deadline:
            server.kill()
            server.start()
    for one in listeners:
        one.join(START_SECONDS + 60)
    server.stop()
    faults = faults_of(folder, listeners)
    confirmed = sum(len(one.confirmed) for one in listeners)
    waits = sorted(counts.seconds) or [0.0]
    print_table(
        ("listeners", "seconds", "kill -9", "confirmed answers", "requests repeated after a failure", "sent twice"),
        [(arguments.listeners, arguments.seconds, server.kills, confirmed, counts.retried, counts.repeated)],
    )
    print_table(
        ("lost", "doubled", "out of order", "refused", "p50 of an answer (ms)", "p99 (ms)"),
        [
            (
                *(len(faults[kind]) for kind in ("lost", "doubled", "out of order")),
                len(counts.refused),
                *(round(1000 * waits[int(share * (len(waits) - 1))]) for share in (0.5, 0.99)),
            )
        ],
    )
    for kind, examples in {**faults, "refused": counts.refused}.items():
        for example in examples[:5]:
            print(f"{kind}: {example}")
    return int(any(faults.values()) or bool(counts.refused) or not confirmed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--think", type=float, default=4, help="mean seconds before an answer")
    parser.add_argument("--kill-every", type=float, default=20, help="mean seconds between two kills")
    parser.add_argument("--triplets", type=int, default=300)
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(drill(parser.parse_args(), Path(folder)))


if __name__ == "__main__":
    main()
