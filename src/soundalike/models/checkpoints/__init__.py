"""Checkpoints: the files of pretrained models. Which there are, where they lie, and whether they are what they should be.

This package needs no torch. `models fetch` downloads (`soundalike.models.checkpoints.fetch`); loading a model only looks
(`located`).
"""

from __future__ import annotations

from soundalike.models.checkpoints.locate import Located, located
from soundalike.models.checkpoints.table import CHECKPOINTS, Checkpoint, CheckpointFile, notice

__all__ = ["CHECKPOINTS", "Checkpoint", "CheckpointFile", "Located", "located", "notice"]
