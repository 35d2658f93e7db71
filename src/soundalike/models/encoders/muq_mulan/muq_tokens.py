"""Token ids of XLM-RoBERTa from texts, as in muq 0.1.0 (`models/text.py`, with the tokenizer of transformers)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.models.encoders.input_checks import open_tokenizer


class Tokens:
    """A tokenizer from a file of the library tokenizers, which adds a token before and after each text."""

    def __init__(self, path: Path, vocabulary: int, longest: int) -> None:
        """vocabulary: the expected number of tokens; longest: the most tokens that the model takes.

        Raises CheckpointError if the file is not such a tokenizer.
        """
        tokenizer = open_tokenizer(path, vocabulary)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._longest = longest

    def __call__(self, text: str) -> NDArray[np.int64]:
        """Token ids (1, L) of `text`. Raises InputError if it is too long."""
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        if ids.shape[1] > self._longest:
            raise InputError(
                f"a text has {ids.shape[1]} tokens ({text[:40]!r}...), but the model takes at most {self._longest}; shorten it"
            )
        return ids
