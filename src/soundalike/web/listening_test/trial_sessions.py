"""The sessions of listeners: who they are, which trial is next, and what becomes of an answer."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cachetools import LRUCache

from soundalike.errors import InputError, LibraryError, SoundalikeError
from soundalike.listening.active_blocks import continue_active
from soundalike.listening.answer_record import AnswerRecord, TrialAnswer
from soundalike.listening.answer_store import AnswerStore, Listener
from soundalike.listening.design import ANSWERS_FILE, CLIPS_FOLDER, DESIGN_FILE, Design, read_design
from soundalike.listening.instructions import read_instructions
from soundalike.listening.schedule import Trial, practice_trials, trials
from soundalike.web.listening_test.listener_schemas import (
    AnswerIn,
    AnswerOut,
    PracticeOut,
    ProgressOut,
    SectionOut,
    SessionOut,
    Side,
    TextsOut,
    TrialOut,
)

MIN_HEARD = 1.0
"""Seconds that each candidate must have been heard before an answer counts; the page has the same rule."""

MAX_SCHEDULES = 1_000
"""Trials of so many listeners are kept in memory."""

_OTHER_SIDE: Mapping[TrialAnswer, TrialAnswer] = {
    "A+": "B+",
    "A-": "B-",
    "B-": "A-",
    "B+": "A+",
    "cant_tell": "cant_tell",
}


class UnknownListenerError(SoundalikeError):
    """A request without a valid personal link."""


class TrialSessions:
    """One listening test as it is served; thread-safe. An extended design is noticed by the next request."""

    def __init__(self, folder: Path) -> None:
        """folder: of the test. Raises LibraryError or InputError for a design, a clip or instructions that cannot be used."""
        self._folder = folder
        self._lock = threading.Lock()
        self._stamp = (0, 0)
        self._schedules: LRUCache[int, tuple[Trial, ...]] = LRUCache(MAX_SCHEDULES)
        self._design = self._current_design()
        self.store = AnswerStore(folder / ANSWERS_FILE)
        read_instructions(folder)
        missing = [one.clip for one in self._design.excerpts if not (folder / CLIPS_FOLDER / one.clip).is_file()]
        if missing:
            raise LibraryError(
                f"the clip {missing[0]} of the listening test {folder.name} is missing; restore it, or make a new test"
            )

    @property
    def name(self) -> str:
        """The name of the test."""
        return self._folder.name

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def listener(self, token: str) -> Listener:
        """The listener with this token. Raises UnknownListenerError if there is none."""
        listener = self.store.by_token(token) if token else None
        if listener is None:
            raise UnknownListenerError("this link is not valid, or was deleted; ask the person who sent it to you")
        return listener

    def session(self, listener: Listener) -> SessionOut:
        """All that the page needs to begin or to go on."""
        texts = read_instructions(self._folder)
        return SessionOut(
            listener=listener.name,
            texts=TextsOut(
                title=texts.title,
                language=texts.language,
                sections={name: SectionOut(heading=one.heading, text=one.text) for name, one in texts.sections.items()},
                labels=dict(texts.labels),
            ),
            consented=listener.consented_at is not None,
            headphones=listener.headphones,
            practised=listener.practised_at is not None,
            practice=[
                PracticeOut(id=one.id, same="b" if one.swapped else "a")
                for one in practice_trials(self._current_design())
            ],
            progress=self.progress(listener),
        )

    def progress(self, listener: Listener) -> ProgressOut:
        """How far a listener is, and the trial to answer now."""
        schedule = self._schedule(listener)
        answered = self.store.answered(listener.name)
        left = [trial for trial in schedule if trial.id not in answered][:2]
        shown = [_trial_out(trial, schedule) for trial in left]
        return ProgressOut(
            answered=sum(trial.id in answered for trial in schedule),
            total=len(schedule),
            trial=shown[0] if shown else None,
            ahead=shown[1] if len(shown) > 1 else None,
        )

    def answer(self, listener: Listener, trial_id: str, given: AnswerIn) -> AnswerOut:
        """Store an answer, unless the trial was answered before. Raises InputError for a trial that is not this listener's or
        not yet due, and if a candidate was not heard."""
        trial = self._trial(listener, trial_id)
        answered = self.store.answered(listener.name)
        if trial_id not in answered:
            due = next(one for one in self._schedule(listener) if one.id not in answered)
            if due.id != trial_id:
                raise InputError(f"the trial {trial_id} is not due yet; the next one is {due.id}")
            if min(given.heard.a, given.heard.b) < MIN_HEARD:
                raise InputError(f"listen to A and B for {MIN_HEARD:g} s each before you answer")
        added = self.store.add(_record(listener, trial, given))
        if answered.issuperset(one.id for one in self._schedule(listener) if one.id != trial_id):
            self._continue()
        return AnswerOut(stored=added == "stored", progress=self.progress(listener))

    def _continue(self) -> None:
        """Add a block of trials to an active test whose goal is not reached."""
        with suppress(InputError):  # no triplets are left, or no vectors: the test ends here
            continue_active(self._folder, self._current_design(), self.store.records())

    def clip(self, listener: Listener, trial_id: str, side: Side) -> Path:
        """The audio file of a trial or practice trial of this listener. Raises InputError for another one."""
        practice = {one.id: one for one in practice_trials(self._current_design())}
        trial = practice.get(trial_id) or self._trial(listener, trial_id)
        clip = {"x": trial.x_clip, "a": trial.left_clip, "b": trial.right_clip}[side]
        clips = (self._folder / CLIPS_FOLDER).resolve()
        path = (clips / clip).resolve()
        if not path.is_relative_to(clips) or not path.is_file():
            raise LibraryError(
                "a clip of this listening test is missing; report it to the person who sent you the link"
            )
        return path

    def _current_design(self) -> Design:
        """The design, read again if its file has changed."""
        try:
            facts = (self._folder / DESIGN_FILE).stat()
        except OSError:
            return read_design(self._folder)  # raises
        with self._lock:
            if self._stamp != (stamp := (facts.st_mtime_ns, facts.st_size)):
                self._design = read_design(self._folder)
                self._stamp = stamp
                self._schedules.clear()
            return self._design

    def _schedule(self, listener: Listener) -> tuple[Trial, ...]:
        design = self._current_design()
        with self._lock:
            known = self._schedules.get(listener.index)
        if known is None:
            known = trials(design, listener.index)
            with self._lock:
                if design is self._design:
                    self._schedules[listener.index] = known
        return known

    def _trial(self, listener: Listener, trial_id: str) -> Trial:
        for trial in self._schedule(listener):
            if trial.id == trial_id:
                return trial
        raise InputError(f"there is no trial {trial_id[:80]!r} for this listener")


def _trial_out(trial: Trial, schedule: tuple[Trial, ...]) -> TrialOut:
    same_pass = [one.id for one in schedule if one.pass_number == trial.pass_number]
    return TrialOut(
        id=trial.id,
        question=trial.question,
        pass_number=trial.pass_number,
        number=1 + same_pass.index(trial.id),
        count=len(same_pass),
    )


def _record(listener: Listener, trial: Trial, given: AnswerIn) -> AnswerRecord:
    """The answer about A and B of the trial, whatever the sides on which they were shown."""
    left, right = given.heard.a, given.heard.b
    return AnswerRecord(
        listener=listener.name,
        trial=trial.id,
        triplet=trial.triplet,
        question=trial.question,
        answer=_OTHER_SIDE[given.answer] if trial.swapped else given.answer,
        swapped=trial.swapped,
        catch=trial.catch,
        repeat_of=trial.repeat_of,
        listened_x=given.heard.x,
        listened_a=right if trial.swapped else left,
        listened_b=left if trial.swapped else right,
        switches=given.switches,
        answered_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        seconds=given.seconds,
    )
