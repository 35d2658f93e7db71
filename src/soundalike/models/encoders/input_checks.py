"""What neural encoders ask of waveforms, texts and tokenizer files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.errors import CheckpointError, InputError
from soundalike.models.encoders import Samples


def check_waveforms(waveforms: Iterable[Samples]) -> None:
    """Raises InputError for a waveform that is not one-dimensional or has samples that are not finite."""
    for waveform in waveforms:
        if waveform.ndim != 1:
            raise InputError(f"a waveform of shape {waveform.shape}; the encoder takes mono ones, of shape (samples,)")
        if not np.isfinite(waveform).all():
            raise InputError("a waveform with samples that are not finite cannot be embedded; decode the file again")


def check_texts(texts: Iterable[str]) -> None:
    """Raises InputError for a text without a word."""
    for text in texts:
        if not text.strip():
            raise InputError(f"an empty text ({text!r}) means no sound; describe one, as in 'dry funk snare'")


def open_tokenizer(path: Path, vocabulary: int) -> Any:
    """The tokenizer in a file of the library tokenizers; vocabulary: how many tokens there must be.

    Raises CheckpointError for a file that is not such a tokenizer.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise CheckpointError(
            f"{path} is damaged or not a tokenizer ({error}); delete it and fetch it again: `soundalike models fetch NAME`"
        ) from error
    if tokenizer.get_vocab_size() != vocabulary:
        raise CheckpointError(
            f"{path} is not the model's tokenizer: it has {tokenizer.get_vocab_size()} tokens where {vocabulary} are expected"
        )
    return tokenizer
