from soundalike.synth.seeds import generator


def test_same_keys_same_numbers_and_every_key_counts() -> None:
    assert generator("kit", "maple", 1).integers(2**60) == generator("kit", "maple", 1).integers(2**60)
    drawn = {
        int(generator(*keys).integers(2**60))
        for keys in (("kit", "maple", 1), ("kit", "maple", 2), ("kit", "garage", 1), ("kitmaple", 1), ("kit",))
    }
    assert len(drawn) == 5


def test_numbers_are_the_same_in_every_release() -> None:
    assert int(generator("a", 1).integers(1000)) == PINNED


PINNED = 75
