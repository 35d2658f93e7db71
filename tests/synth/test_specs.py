from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from soundalike.errors import InputError
from soundalike.parts import ordered
from soundalike.synth.drums import KITS
from soundalike.synth.patches import PATCHES
from soundalike.synth.specs import SongSpec, song_specs
from soundalike.synth.styles import STYLES


def test_same_seed_same_songs_and_more_songs_change_none() -> None:
    assert song_specs(1) == song_specs(1)
    assert song_specs(1, 5) == song_specs(1, 16)[:5]
    assert song_specs(1, 5) != song_specs(2, 5)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_part_of_a_question_has_its_own_answer(seed: int) -> None:
    specs = song_specs(seed, 16)
    assert len({spec.title for spec in specs}) == 16
    assert {spec.style for spec in specs} == set(STYLES)
    assert Counter(spec.kit for spec in specs).most_common(1)[0][1] <= 3
    assert len({spec.kit for spec in specs}) == len(KITS)
    kits_of, grooves_of = defaultdict(list), defaultdict(set)
    for spec in specs:
        kits_of[spec.groove_name].append(spec.kit)
        grooves_of[spec.kit].add(spec.groove_name)
    assert all(len(set(kits)) == len(kits) for kits in kits_of.values()), "a groove twice on one kit"
    assert any(len(kits) > 1 for kits in kits_of.values())
    assert sum(len(grooves) > 1 for grooves in grooves_of.values()) >= 6
    # Songs with the same kit have different basses: "drums like these" and "bass like this" part ways.
    basses = {(spec.kit, spec.patch("bass")) for spec in specs}
    assert len(basses) >= 15


def test_specifications_hang_together() -> None:
    for spec in song_specs(4, 40, length=34.0):
        style = STYLES[spec.style]
        assert style.tempos[0] <= spec.tempo <= style.tempos[1]
        assert spec.key.mode in style.modes
        assert spec.kit in style.kits
        assert {"bass", "drums"} < set(spec.parts)
        assert ordered(spec.parts) == spec.parts
        assert all(PATCHES[patch].part == part for part, patch in spec.patches)
        played = {part for section in spec.sections for part in section.parts}
        assert played == set(spec.parts)
        assert all(section.bars >= 2 for section in spec.sections)
        assert abs(spec.bars * 240 / spec.tempo - 34.0) < 8.0


def test_patch_of_a_part_that_is_not_there() -> None:
    spec = song_specs(1, 1)[0]
    less: SongSpec = replace(spec, patches=spec.patches[:1])
    with pytest.raises(InputError, match="no patch for 'piano'"):
        less.patch("piano")


@pytest.mark.parametrize(("count", "length"), [(0, 30.0), (401, 30.0), (3, 5.0), (3, 1e4)])
def test_numbers_out_of_range(count: int, length: float) -> None:
    with pytest.raises(InputError, match="must be"):
        song_specs(1, count, length)
