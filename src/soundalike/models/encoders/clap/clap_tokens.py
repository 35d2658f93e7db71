"""Token ids of RoBERTa from texts, as in laion_clap 1.1.7 (`hook.py`, `CLAP_Module.tokenizer`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import CheckpointError
from soundalike.models.encoders.input_checks import open_tokenizer

LENGTH = 77
"""Tokens that a text is padded or truncated to, including those at its beginning and end."""

PADDING = "<pad>"


class Tokens:
    """A tokenizer from a file of the library tokenizers."""

    def __init__(self, path: Path, vocabulary: int) -> None:
        """vocabulary: the expected number of tokens. Raises CheckpointError if the file is not such a tokenizer."""
        tokenizer = open_tokenizer(path, vocabulary)
        padding = tokenizer.token_to_id(PADDING)
        if padding is None:
            raise CheckpointError(f"{path} is not the model's tokenizer: it has no token {PADDING}")
        tokenizer.enable_truncation(LENGTH)
        tokenizer.enable_padding(length=LENGTH, pad_id=padding, pad_token=PADDING)
        self._tokenizer = tokenizer

    def __call__(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Token ids (N, LENGTH) of N texts, and a mask (N, LENGTH) that is 1 for tokens and 0 for padding."""
        encodings = self._tokenizer.encode_batch(list(texts))
        ids = np.array([encoding.ids for encoding in encodings], dtype=np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
        return ids.reshape(-1, LENGTH), mask.reshape(-1, LENGTH)
