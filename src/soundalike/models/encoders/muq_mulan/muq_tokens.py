"""Texts to XLM-RoBERTa's token ids, as muq 0.1.0 makes them (`models/text.py`, with transformers' tokenizer)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.models.encoders.input_checks import open_tokenizer


class Tokens:
    """The tokenizer in a file of the library tokenizers, with a token before each text and one behind it."""

    def __init__(self, path: Path, vocabulary: int, longest: int) -> None:
        """vocabulary: how many tokens there must be; longest: how many the model can read at once.

        Raises CheckpointError for a file that is not such a tokenizer.
        """
        tokenizer = open_tokenizer(path, vocabulary)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._longest = longest

    def __call__(self, text: str) -> NDArray[np.int64]:
        """Token ids (1, L) of `text`. Raises InputError for one that is too long."""
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        if ids.shape[1] > self._longest:
            raise InputError(
                f"a text of {ids.shape[1]} tokens ({text[:40]!r}...); the model reads {self._longest} at most: shorten it"
            )
        return ids
