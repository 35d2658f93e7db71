from __future__ import annotations

import numpy as np
import pytest

from soundalike.audio.metadata.class_names import CLASSES
from soundalike.errors import InputError
from soundalike.synth.one_shots import ONE_SHOT_CLASSES, render_one_shot


def test_every_class_has_a_name_that_files_state_and_sounds_that_differ() -> None:
    assert set(ONE_SHOT_CLASSES) <= set(CLASSES)
    for name in ONE_SHOT_CLASSES:
        first, second = render_one_shot(name, 0), render_one_shot(name, 1)
        assert first.dtype == np.float32
        assert np.abs(first).max() == pytest.approx(0.9)
        assert first.shape != second.shape or not np.allclose(first, second)
        assert np.array_equal(first, render_one_shot(name, 0))


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(InputError, match="no one-shot of the class 'gong' can be made; choose kick"):
        render_one_shot("gong", 0)
