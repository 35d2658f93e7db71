"""How worker processes send what they computed: JSON for the structure, followed by the bytes of arrays. It carries no code.

Workers decode files of any origin, so that a fault of a codec may give their process away to whoever made a file. What they
send is therefore never unpickled: `decode` makes plain values, NumPy arrays of numbers and texts, and instances of the data
classes that its caller lists, nothing else.
"""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.errors import SoundalikeError
from soundalike.jobs.failure import Failure

MAX_BYTES = 1 << 30
"""Of an answer: six times the longest stem that is sent at once."""

_LENGTH_BYTES = 8
_ALIGNMENT = 16
_KINDS_OF_DTYPES = "biufcU"
_BUILTIN_ERRORS = {
    name: getattr(builtins, name)
    for name in (
        "ArithmeticError", "AssertionError", "AttributeError", "BufferError", "EOFError", "ImportError", "IndexError", "KeyError",
        "MemoryError", "ModuleNotFoundError", "NotImplementedError", "OSError", "OverflowError", "RecursionError",
        "RuntimeError", "TypeError", "ValueError", "ZeroDivisionError",
    )
}  # fmt: skip


class FormatError(ValueError):
    """Bytes that are no answer."""


def encode(value: Any) -> bytes:
    """The bytes of a value: None, booleans, numbers, texts, bytes, paths, arrays, data classes, and lists, tuples, frozen sets
    and dictionaries of these, or a `Failure`. Raises TypeError for anything else."""
    buffers: list[bytes] = []
    structure = json.dumps(_packed(value, buffers)).encode("ascii")
    structure += b" " * (-(len(structure) + _LENGTH_BYTES) % _ALIGNMENT)
    padded = (buffer + bytes(-len(buffer) % _ALIGNMENT) for buffer in buffers)
    return b"".join((len(structure).to_bytes(_LENGTH_BYTES, "little"), structure, *padded))


def decode(data: bytearray, types: Collection[type]) -> Any:
    """The value that `encode` was given; its arrays lie in `data`. types: data classes that it may contain.

    Raises FormatError for anything that `encode` does not write, and for a data class that is not listed.
    """
    size = int.from_bytes(data[:_LENGTH_BYTES], "little")
    start = _LENGTH_BYTES + size
    if len(data) < start:
        raise FormatError("the structure is cut off")
    reader = _Reader(memoryview(data)[start:], {_name(one): one for one in types})
    try:
        return reader.unpacked(json.loads(bytes(data[_LENGTH_BYTES:start])))
    except FormatError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise FormatError(f"{type(error).__name__}: {error}") from None


def _packed(value: Any, buffers: list[bytes]) -> Any:
    """`value` as JSON; its arrays and bytes are appended to `buffers`."""
    if value is None or isinstance(value, bool | int | str) or type(value) is float:
        return value

    def several(values: Any) -> list[Any]:
        return [_packed(one, buffers) for one in values]

    def stored(data: bytes) -> int:
        at = sum(len(buffer) + -len(buffer) % _ALIGNMENT for buffer in buffers)
        buffers.append(data)
        return at

    match value:
        case list():
            return several(value)
        case tuple():
            return {"is": "tuple", "of": several(value)}
        case frozenset():
            return {"is": "frozenset", "of": several(value)}
        case dict():
            return {"is": "dict", "of": [several(pair) for pair in value.items()]}
        case bytes():
            return {"is": "bytes", "at": stored(value), "size": len(value)}
        case Path():
            return {"is": "path", "of": str(value)}
        case np.ndarray() | np.generic():
            return _packed_array(np.asarray(value), stored) | {"scalar": isinstance(value, np.generic)}
        case Failure():
            names = [one.__name__ for one in type(value.error).__mro__]
            return {"is": "failure", "of": [names, str(value.error), value.trace]}
    if is_dataclass(value) and not isinstance(value, type):
        values = {field.name: _packed(getattr(value, field.name), buffers) for field in fields(value)}
        return {"is": _name(type(value)), "of": values}
    raise TypeError(f"a worker cannot send a value of the type {_name(type(value))}")


def _packed_array(array: np.ndarray[Any, Any], stored: Callable[[bytes], int]) -> dict[str, Any]:
    if array.dtype.kind not in _KINDS_OF_DTYPES:
        raise TypeError(f"a worker cannot send an array of the type {array.dtype}")
    # The order in memory stays as it is, for sums depend on it in their last bits.
    turned = array.flags.f_contiguous and not array.flags.c_contiguous
    data = (array.T if turned else array).tobytes()
    return {"is": "array", "at": stored(data), "dtype": array.dtype.str, "shape": list(array.shape), "turned": turned}


class _Reader:
    def __init__(self, data: memoryview, types: Mapping[str, type]) -> None:
        self._data = data
        self._types = types

    def unpacked(self, value: Any) -> Any:
        """The value of some JSON."""
        if isinstance(value, list):
            return [self.unpacked(one) for one in value]
        if not isinstance(value, dict):
            return value
        match value["is"]:
            case "tuple":
                return tuple(self.unpacked(value["of"]))
            case "frozenset":
                return frozenset(self.unpacked(value["of"]))
            case "dict":
                return {self.unpacked(key): self.unpacked(one) for key, one in value["of"]}
            case "bytes":
                return bytes(self._piece(value["at"], value["size"]))
            case "path":
                return Path(value["of"])
            case "array":
                return self._array(value)
            case "failure":
                return _failure(*value["of"])
            case name if name in self._types:
                return self._types[name](**{field: self.unpacked(one) for field, one in value["of"].items()})
            case name:
                raise FormatError(f"a worker may not send {str(name)[:100]!r}")

    def _piece(self, at: int, size: int) -> memoryview:
        if not 0 <= at <= at + size <= len(self._data):
            raise FormatError("a buffer is cut off")
        return self._data[at : at + size]

    def _array(self, value: Mapping[str, Any]) -> Any:
        dtype = np.dtype(str(value["dtype"]))
        shape = tuple(int(length) for length in value["shape"])
        if dtype.kind not in _KINDS_OF_DTYPES or min(shape, default=0) < 0:
            raise FormatError(f"no array can be of the type {dtype} and the shape {shape}")
        count = int(np.prod(shape, dtype=object))
        flat = np.frombuffer(self._piece(value["at"], count * dtype.itemsize), dtype)
        array = flat.reshape(shape[::-1]).T if value["turned"] else flat.reshape(shape)
        return array[()] if value["scalar"] else array


def _failure(names: list[str], message: str, trace: str) -> Failure:
    """A failure whose error is of the first type in `names`, a type and its ancestors, that may be raised here."""
    known = {one.__name__: one for one in _descendants(SoundalikeError)} | _BUILTIN_ERRORS
    nearest = next((name for name in map(str, names) if name in known), "RuntimeError")
    text = str(message) if nearest == names[0] else f"{names[0]}: {message}"
    return Failure(known[nearest](text), str(trace))


def _descendants(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *(one for child in kind.__subclasses__() for one in _descendants(child))]


def _name(one: type) -> str:
    return f"{one.__module__}.{one.__qualname__}"
