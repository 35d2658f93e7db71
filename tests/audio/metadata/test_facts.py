from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from soundalike.analysis.preparation import prepare
from soundalike.audio.metadata.facts import Estimate, Fact, resolve_facts
from soundalike.audio.metadata.loop_chunks import LoopChunk
from soundalike.audio.metadata.tags import Tags
from soundalike.audio.metadata.tempo import estimate_tempo, loop_tempo
from tests.audio.metadata.test_tempo import RATE, beat

ESTIMATES = (Estimate(101.0, 0.4), Estimate("D minor", 0.3))
LOOP = LoopChunk("acid", tempo=90.0, root=57)


def test_the_tag_comes_first() -> None:
    tags = Tags(tempo=128.0, key="F# minor", loop=LOOP)
    assert resolve_facts(tags, "x_120bpm_Am", ESTIMATES) == (Fact(128.0, "tag", 1.0), Fact("F# minor", "tag", 1.0))


def test_then_the_name() -> None:
    expected = (Fact(120.0, "name", 1.0), Fact("A minor", "name", 1.0))
    assert resolve_facts(Tags(loop=LOOP), "x_120bpm_Am", ESTIMATES) == expected


def test_then_the_loop_chunk() -> None:
    expected = (Fact(90.0, "loop chunk", 1.0), Fact("A", "loop chunk", 1.0))
    assert resolve_facts(Tags(loop=LOOP), "x", ESTIMATES) == expected


def test_then_the_estimate_with_its_confidence() -> None:
    expected = (Fact(101.0, "estimate", 0.4), Fact("D minor", "estimate", 0.3))
    assert resolve_facts(Tags(), "x", ESTIMATES) == expected


@pytest.mark.parametrize("stem", ["loop_90bpm_but_124", "x"])
def test_length_and_pulse_of_a_loop_outvote_its_name_and_its_chunk(stem: str) -> None:
    estimates = (Estimate(124.0, 0.9), None)
    expected = Fact(124.0, "estimate", 0.9)
    assert resolve_facts(Tags(loop=LOOP), stem, estimates, is_loop=True)[0] == expected
    tag = Tags(tempo=90.0, loop=LOOP)
    assert resolve_facts(tag, stem, estimates, is_loop=True)[0] == Fact(90.0, "tag", 1.0)


@pytest.mark.parametrize(
    ("estimate", "is_loop"),
    [
        (Estimate(124.0, 0.6), True),  # length and pulse do not agree
        (Estimate(124.0, 0.95), False),  # the length of a song says nothing
        (Estimate(90.3, 0.9), True),
        (Estimate(180.0, 0.9), True),
        (Estimate(45.0, 0.9), True),
        (Estimate(None, 0.0), True),
    ],
)
def test_a_name_that_is_not_outvoted_counts(estimate: Estimate, is_loop: bool) -> None:
    assert resolve_facts(Tags(), "loop_90bpm", (estimate, None), is_loop=is_loop)[0] == Fact(90.0, "name", 1.0)


@pytest.mark.parametrize("tempo", [95.0, 120.0, 124.0, 140.0])
@pytest.mark.parametrize("beats", [8, 16])
def test_a_loop_that_is_named_wrongly_has_the_tempo_that_is_heard(beats: int, tempo: float) -> None:
    duration = beats * 60 / tempo
    estimate = loop_tempo(duration, estimate_tempo(beat(tempo, duration), RATE))
    fact, _ = resolve_facts(Tags(), "loop_108bpm", (estimate, None), is_loop=True)
    assert fact is not None
    assert (fact.value, fact.source) == (pytest.approx(tempo, rel=0.01), "estimate")
    named = resolve_facts(Tags(), f"loop_{tempo:.0f}bpm", (estimate, None), is_loop=True)[0]
    assert named == Fact(tempo, "name", 1.0)


def test_the_reported_loop_that_is_named_wrongly(test_data: Path) -> None:
    path = test_data / "reports" / "loop_90bpm_but_124.wav"
    prepared = prepare(path)
    tempo, _ = resolve_facts(prepared.tags, path.stem, (prepared.tempo, None), is_loop=prepared.kind == "loop")
    assert tempo == Fact(124.0, "estimate", 0.9)


def test_the_outvoted_chunk_leaves_the_name_that_agrees() -> None:
    tempo, _ = resolve_facts(Tags(loop=LOOP), "loop_124bpm", (Estimate(124.0, 0.9), None), is_loop=True)
    assert tempo == Fact(124.0, "name", 1.0)


def test_each_fact_has_a_source_of_its_own() -> None:
    tempo, key = resolve_facts(Tags(tempo=128.0), "pad_Am", ESTIMATES)
    assert tempo is not None
    assert key is not None
    assert (tempo.source, key.source) == ("tag", "name")


def test_none_if_no_source_has_it() -> None:
    assert resolve_facts(Tags(), "x") == (None, None)
    assert resolve_facts(Tags(), "x", (Estimate(None, 0.0), None)) == (None, None)


def test_estimators_are_imported_when_used() -> None:
    heavy = ("librosa", "scipy.signal", "av")
    code = f"import sys, soundalike.audio.metadata.facts; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
