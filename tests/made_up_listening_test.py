"""A listening test with generated excerpts: tones of different heights, all of the same power."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from soundalike.listening.answer_store import AnswerStore, Listener
from soundalike.listening.design import Design, DesignTriplet, Excerpt, Question, folder_of_design, write_design

RATE = 44_100


def write_listening_test(
    library: Path,
    name: str = "tones",
    *,
    triplets: int = 4,
    seconds: float = 3.0,
    questions: tuple[Question, ...] = ("overall",),
) -> Path:
    """Write a test of `triplets` triplets; returns its folder."""
    folder = folder_of_design(library, name)
    (folder / "clips" / "mix").mkdir(parents=True)
    excerpts = tuple(
        Excerpt(f"e{n}", f"song{n}", f"song{n}.wav", "mix", 0.0, seconds, f"mix/e{n}.flac") for n in range(triplets + 2)
    )
    for number, excerpt in enumerate(excerpts):
        soundfile.write(folder / "clips" / excerpt.clip, _tone(number, seconds), RATE)
    write_design(
        folder,
        Design(
            name=name,
            seed=3,
            questions=questions,
            presentation="mix",
            encoder="builtin",
            separator="builtin",
            weighted_parts=("mix",),
            loudness=-23.0,
            excerpts=excerpts,
            triplets=tuple(
                DesignTriplet(f"t{n}", "XAB", "mix", f"e{n}", f"e{n + 1}", f"e{n + 2}") for n in range(triplets)
            ),
        ),
    )
    return folder


def invite(folder: Path, count: int = 1) -> list[Listener]:
    """New listeners of the test in `folder`."""
    store = AnswerStore(folder / "answers.sqlite")
    try:
        return store.invite(count)
    finally:
        store.close()


def _tone(number: int, seconds: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Two channels. Neighbours are so far apart in pitch that they do not beat slowly when one is faded into the other."""
    time = np.arange(round(seconds * RATE)) / RATE
    mono = 0.15 * np.sin(2 * np.pi * 200 * 1.585 ** (number % 6) * time)
    return np.stack([mono, mono], axis=1)
