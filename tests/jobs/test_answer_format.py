from __future__ import annotations

import json
import pickle
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.errors import AudioError, SoundalikeError
from soundalike.jobs.answer_format import FormatError, decode, encode
from soundalike.jobs.failure import Failure
from soundalike.library.indexing.execution_backends import ANALYSIS_TYPES
from soundalike.search.index.table_rows import CLIPS
from soundalike.search.query import QUERY_TYPES, query_from_file


@dataclass(frozen=True)
class Pair:
    """A data class that may be sent."""

    name: str
    value: Any


@dataclass(frozen=True)
class Other:
    """One that may not."""

    value: int


def sent(value: Any, types: tuple[type, ...] = (Pair,)) -> Any:
    return decode(bytearray(encode(value)), types)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.builds(Pair, st.text(), inner)
    ),
    max_leaves=20,
)


@given(plain)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    assert repr(sent(value)) == repr(value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float32).reshape(3, 4),
        np.asfortranarray(np.random.default_rng(0).normal(size=(5, 3, 2))),
        np.arange(10, dtype=np.int8)[::3],
        np.zeros((0, 3), np.float16),
        np.array(["a", "größer"]),
        np.array(3.5),
        np.array([True, False]),
    ],
)
def test_arrays_come_back_with_their_type_and_their_order_in_memory(array: np.ndarray[Any, Any]) -> None:
    back = sent({"x": [b"12345", array]})["x"][1]
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert np.array_equal(back, array)
    assert back.flags.c_contiguous or not array.flags.c_contiguous
    assert back.flags.f_contiguous == array.flags.f_contiguous or array.size == 0 or array.ndim < 2
    back[...] = back  # it can be written to


def test_scalars_of_numpy_keep_their_type() -> None:
    assert [type(one) for one in sent((np.float32(1.5), np.int64(3), np.bool_(True)))] == [
        np.float32,
        np.int64,
        np.bool_,
    ]


def test_sets_come_back() -> None:
    assert sent(frozenset({("a", 1), ("b", 2)})) == frozenset({("a", 1), ("b", 2)})


def test_paths_and_names_that_are_no_unicode_come_back() -> None:
    assert sent(Path("/a/b\udcff.wav")) == Path("/a/b\udcff.wav")


def test_an_analysis_and_a_query_come_back_whole(music: Path) -> None:
    loop = sorted((music / "loops").iterdir())[0]
    analyser = Analyser(make_recipe())
    analysis = analyser.analyse(loop, "song")
    back = sent(analysis, ANALYSIS_TYPES)
    assert back.tags == analysis.tags
    assert (back.tempo, back.key, back.kind, back.parts) == (
        analysis.tempo,
        analysis.key,
        analysis.kind,
        analysis.parts,
    )
    assert back.vectors.tobytes() == analysis.vectors.tobytes()
    query = query_from_file(analyser, loop, region=(0.5, 1.5))
    received = sent(query, QUERY_TYPES)
    assert received.region_shares == query.region_shares
    assert received.among(CLIPS, "drums").tobytes() == query.among(CLIPS, "drums").tobytes()


def test_failures_come_back_as_an_error_that_may_be_raised_here() -> None:
    back = sent(Failure(AudioError("bad file"), "line 3"))
    assert isinstance(back.error, AudioError)
    assert str(back.error) == "bad file"
    assert "line 3" in str(back.exception().__cause__)
    assert type(sent(Failure(MemoryError("much"), "")).error) is MemoryError
    strange = sent(Failure(UnicodeDecodeError("utf-8", b"x", 0, 1, "why"), "")).error
    assert type(strange) is ValueError  # the nearest ancestor that is known
    assert "UnicodeDecodeError: " in str(strange)
    assert type(sent(Failure(SystemError("odd"), "")).error) is RuntimeError


def test_what_is_not_data_is_neither_sent_nor_made() -> None:
    for value in (object(), print, Other, np.array([object()]), np.dtype("f4"), {1: {2, 3}}):
        with pytest.raises(TypeError, match="a worker cannot send"):
            encode(value)
    with pytest.raises(FormatError, match=r"a worker may not send '.*Other'"):
        sent(Pair("x", Other(3)))
    for name in ("os.system", "builtins.eval", "pathlib.Path", 3, None, ["x"]):
        with pytest.raises(FormatError):
            decode(message({"is": name, "of": {"command": "true"}}), (Pair,))


def message(structure: Any, buffers: bytes = b"") -> bytearray:
    """An answer with a structure of one's own."""
    text = json.dumps(structure).encode()
    return bytearray(len(text).to_bytes(8, "little") + text + buffers)


@pytest.mark.parametrize(
    "data",
    [
        bytearray(),
        bytearray(b"\xff" * 64),
        bytearray(pickle.dumps(print)),
        message({"is": "bytes", "at": 0, "size": 100}),
        message({"is": "bytes", "at": -4, "size": 2}, b"12345678"),
        message({"is": "array", "at": 0, "dtype": "O", "shape": [1], "turned": False, "scalar": False}, bytes(8)),
        message(
            {"is": "array", "at": 0, "dtype": "<f4", "shape": [10**9, 10**9], "turned": False, "scalar": False},
            bytes(8),
        ),
        message({"is": "array", "at": 0, "dtype": "<f4", "shape": [-1, 2], "turned": False, "scalar": False}, bytes(8)),
        message({"is": "array", "at": 0, "dtype": "f4,O", "shape": [1], "turned": False, "scalar": False}, bytes(64)),
        message({"is": f"{__name__}.Pair", "of": {"nothing": 1}}),
        message({"is": "tuple"}),
        message({"is": "dict", "of": [[{}, 1]]}),
        message({"is": "failure", "of": ["AudioError"]}),
        bytearray(b"\x10\x00\x00\x00\x00\x00\x00\x00" + b"[" * 16),
    ],
)
def test_bytes_that_are_no_answer_are_refused(data: bytearray) -> None:
    with pytest.raises(FormatError):
        decode(data, (Pair,))


def test_deep_structures_are_refused() -> None:
    with pytest.raises(FormatError):
        decode(bytearray((100_000).to_bytes(8, "little") + b"[" * 100_000), ())


@given(st.binary(max_size=60), st.integers(0, 60))
def test_any_damage_gives_data_or_a_format_error(noise: bytes, at: int) -> None:
    data = bytearray(encode((Pair("x", np.arange(4.0)), b"abc", Failure(SoundalikeError("no"), ""))))
    data[at : at + len(noise)] = noise
    with suppress(FormatError):
        decode(data, (Pair,))
