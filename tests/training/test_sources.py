"""What is trained on is never evaluated on, and has a licence that allows it."""

from __future__ import annotations

from training import sources

ALLOWED = {"CC0-1.0", "MIT", "BSD-like", "CC-BY-3.0", "public domain", "Apache-2.0"}


def test_only_licences_that_allow_shipping_weights_are_trained_on() -> None:
    used = [*sources.KITS.values(), *sources.SOUNDFONTS.values(), sources.SAMPLES, sources.SYNTH]
    used += [sources.GUITARS, sources.VOICES]
    assert {source.licence for source in used} | set(sources.SONGS.values()) <= ALLOWED
    assert all(source.credit for source in used)
    assert not ALLOWED & set(sources.KITS_HELD_OUT.values())


def test_nothing_is_both_trained_on_and_held_out() -> None:
    assert not set(sources.KITS) & set(sources.KITS_HELD_OUT)
    assert not set(sources.MULTITRACKS) & set(sources.MULTITRACKS_HELD_OUT)
    assert sources.SEPARATOR_MULTITRACK in sources.MULTITRACKS
