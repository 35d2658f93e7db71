"""Checkpoints: the files of pretrained models. Which exist, where they are on this machine, and whether they are intact.

`models fetch` downloads or imports them (`soundalike.models.checkpoints.fetch`, which needs the extra `neural`); loading
a model only looks at the local files (`local_checkpoint`). Nothing here needs torch.
"""

from __future__ import annotations

from soundalike.models.checkpoints.local_files import LocalCheckpoint, local_checkpoint
from soundalike.models.checkpoints.table import CHECKPOINTS, Checkpoint, CheckpointFile, notice

__all__ = ["CHECKPOINTS", "Checkpoint", "CheckpointFile", "LocalCheckpoint", "local_checkpoint", "notice"]
