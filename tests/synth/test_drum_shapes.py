from soundalike.synth.drum_shapes import FAMILIES, VOICES


def test_every_family_has_every_voice_with_a_source() -> None:
    for family, shapes in FAMILIES.items():
        assert set(shapes) == set(VOICES), family
        for voice, shape in shapes.items():
            assert shape.sweep or shape.modes or shape.noises or shape.metal, (family, voice)
            assert 0.05 < shape.length <= 3.0
