"""Checks of the waveforms, texts and tokenizer files given to neural encoders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.errors import CheckpointError, InputError
from soundalike.models.encoder_protocol import Samples


def check_waveforms(waveforms: Iterable[Samples]) -> None:
    """Raises InputError if a waveform is not one-dimensional or has samples that are not finite."""
    for waveform in waveforms:
        if waveform.ndim != 1:
            raise InputError(f"a waveform has the shape {waveform.shape}; give mono waveforms of shape (samples,)")
        if not np.isfinite(waveform).all():
            raise InputError("a waveform has samples that are not finite; decode the file again")


def check_texts(texts: Iterable[str]) -> None:
    """Raises InputError if a text is empty."""
    for text in texts:
        if not text.strip():
            raise InputError(f"the text {text!r} is empty; describe a sound, such as 'dry funk snare'")


def open_tokenizer(path: Path, vocabulary: int) -> Any:
    """The tokenizer in a file of the library tokenizers; vocabulary: its expected number of tokens.

    Raises CheckpointError if the file is not such a tokenizer.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library has no narrower exception
        raise CheckpointError(
            f"{path} is damaged or not a tokenizer ({error}); delete it and get it again: `soundalike models fetch NAME`"
        ) from error
    if tokenizer.get_vocab_size() != vocabulary:
        raise CheckpointError(
            f"{path} is not the model's tokenizer: it has {tokenizer.get_vocab_size()} tokens, expected {vocabulary}"
        )
    return tokenizer
