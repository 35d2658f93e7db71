"""A check of a model on fixed inputs. Its result is what a user can paste into a report, and compare with others."""

from __future__ import annotations

import platform
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.models.encoders import ENCODERS, Encoder, TextEncoder, load_encoder
from soundalike.models.separators import SEPARATORS, Separator, load_separator

SECONDS = 10.0
TEXT = "dry funk snare"
FIRST = 8
"""How many values of each vector or stem the result lists."""

_PACKAGES = ("soundalike", "numpy", "torch", "transformers", "tokenizers", "safetensors", "openvino", "demucs")

Samples = NDArray[np.float32]


def check_model(name: str, runtime: Runtime) -> dict[str, Any]:
    """Load the encoder and the separator called `name`, run them on fixed inputs, and return JSON-ready facts.

    `encoder` and `separator` have the version, the digest of the checkpoint, and by input or stem `first_values`, `norm` and
    `seconds`. Raises InputError if there is no such model or it has nothing to compute, and what loading it raises.
    """
    if name not in ENCODERS and name not in SEPARATORS:
        raise InputError(f"unknown model {name!r}; choose one of {', '.join(dict.fromkeys((*ENCODERS, *SEPARATORS)))}")
    models: dict[str, Any] = {}
    if name in ENCODERS:
        start = time.perf_counter()
        models["encoder"] = _check_encoder(load_encoder(name, runtime), start)
    if name in SEPARATORS:
        start = time.perf_counter()
        separator = load_separator(name, runtime)
        if not isinstance(separator, Separator):
            raise InputError(f"{name} reads stems from files and computes nothing; check another model")
        models["separator"] = _check_separator(separator, start)
    return {
        "model": name,
        "device": runtime.device,
        "precision": runtime.precision,
        "platform": f"{platform.platform()}, Python {platform.python_version()}",
        "packages": {package: found for package in _PACKAGES if (found := _version(package))},
        **models,
    }


def tone(sample_rate: int) -> Samples:
    """(samples,): a sine at 440 Hz."""
    return np.asarray(0.5 * np.sin(2 * np.pi * 440 * np.arange(round(SECONDS * sample_rate)) / sample_rate), np.float32)


def noise(sample_rate: int) -> Samples:
    """(samples,): white noise, the same on every machine."""
    generator = np.random.Generator(np.random.PCG64(0))
    return np.asarray(0.1 * generator.standard_normal(round(SECONDS * sample_rate)), np.float32)


def _check_encoder(encoder: Encoder, start: float) -> dict[str, Any]:
    facts, results = _model_facts(encoder.version, start), {}
    for name, sound in (("tone", tone(encoder.sample_rate)), ("noise", noise(encoder.sample_rate))):
        start = time.perf_counter()
        results[name] = _facts(encoder.embed([sound])[0], start)
    if isinstance(encoder, TextEncoder):
        start = time.perf_counter()
        results[f"text {TEXT!r}"] = _facts(encoder.embed_text([TEXT])[0], start)
    return {**facts, "results": results}


def _check_separator(separator: Separator, start: float) -> dict[str, Any]:
    facts = _model_facts(separator.version, start)
    mixture = np.stack([tone(separator.sample_rate) + noise(separator.sample_rate)] * separator.channels)
    start = time.perf_counter()
    stems = separator.separate(mixture)
    return {**facts, "results": {f"tone and noise, {part}": _facts(stem[0], start) for part, stem in stems.items()}}


def _model_facts(version: str, start: float) -> dict[str, Any]:
    code, _, digest = version.partition("+")
    return {"version": code, "digest": digest or None, "loading_seconds": round(time.perf_counter() - start, 2)}


def _facts(values: NDArray[np.float32], start: float) -> dict[str, Any]:
    return {
        "first_values": [round(float(value), 6) for value in values[:FIRST]],
        "norm": round(float(np.linalg.norm(values)), 6),
        "seconds": round(time.perf_counter() - start, 2),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
