import pytest

from soundalike.synth.drum_shapes import VOICES
from soundalike.synth.drums import KITS
from soundalike.synth.patches import PATCHES
from soundalike.synth.styles import STYLES, Style


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_tables_are_consistent(style: Style) -> None:
    for groove in style.grooves:
        assert set(groove) <= set(VOICES)
        for voice, lane in groove.items():
            assert len(lane) % 16 == 0, (voice, lane)
            assert set(lane) <= set("Xxo-."), (voice, lane)
            assert len(lane) in (16, 32)
    for lanes, marks in ((style.bass, "13578<=."), (style.guitar, "DUm12345=."), (style.piano, "Cc1234=.")):
        for lane in lanes:
            assert len(lane) == 16
            assert set(lane) <= set(marks)
    assert set(style.kits) <= set(KITS)
    for part in ("bass", *style.optional):
        assert all(PATCHES[patch].part == part for patch in style.patches[part])
    for mode in style.modes:
        assert all(1 <= degree <= 7 for progression in style.progressions[mode] for degree in progression)
    assert style.lead in ("pad", "stab", "melody")


def test_grooves_differ_within_and_between_styles() -> None:
    grooves = [tuple(sorted(groove.items())) for style in STYLES.values() for groove in style.grooves]
    assert len(set(grooves)) == len(grooves)
