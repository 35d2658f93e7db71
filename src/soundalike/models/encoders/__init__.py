"""Encoders: waveforms in, unit vectors out. The table of those that exist; `encoder_protocol` says what one is.

To add one, write a module with a class that implements `Encoder`, and add a row to `ENCODERS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from soundalike.config import PRECISIONS, Precision, Runtime, require_extra
from soundalike.errors import InputError
from soundalike.models.encoder_protocol import Embeddings, Encoder, PartEncoder, Samples, TextEncoder

__all__ = ["ENCODERS", "Embeddings", "Encoder", "EncoderRow", "PartEncoder", "Samples", "TextEncoder", "load_encoder"]


@dataclass(frozen=True)
class EncoderRow:
    """The facts about an encoder before it is loaded.

    checkpoint: its key in `soundalike.models.checkpoints.CHECKPOINTS`, None if it needs no download; extra: the optional
    dependencies that it needs (`pip install soundalike[extra]`); precisions: those that it supports; with_layer: loads the
    encoder with one hidden layer as its output, chosen as `NAME:LAYER`, None if it has no such choice; earlier: the versions
    before the current one that can still be loaded, for libraries that were made with them; trained: whether its weights come
    from `soundalike train NAME` on this machine; text: whether it embeds texts too (`TextEncoder`).
    """

    load: Callable[[Runtime], Encoder]
    summary: str
    licence: str
    checkpoint: str | None = None
    extra: str | None = None
    precisions: tuple[Precision, ...] = ("exact",)
    with_layer: Callable[[Runtime, str, int], Encoder] | None = None
    earlier: Mapping[str, Callable[[Runtime], Encoder]] = field(default_factory=dict)
    trained: bool = False
    text: bool = False


class EncoderTable(dict[str, EncoderRow]):
    """The rows by name. `NAME:LAYER` is a row too where the encoder has a choice of layers; iteration lists the plain names."""

    def __missing__(self, name: str) -> EncoderRow:
        base, colon, layer = name.partition(":")
        row = super().get(base)
        if row is None or row.with_layer is None or not re.fullmatch(":(0|[1-9][0-9]{0,2})", colon + layer):
            raise KeyError(name)
        load, number = row.with_layer, int(layer)
        return replace(row, load=lambda runtime: load(runtime, name, number), with_layer=None)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def get(self, name: str, default: EncoderRow | None = None) -> EncoderRow | None:  # type: ignore[override]
        """The row called `name`, also with a layer; `default` if there is none."""
        try:
            return self[name]
        except KeyError:
            return default


def _builtin(runtime: Runtime) -> Encoder:
    from soundalike.models.encoders.builtin.builtin_encoder import BuiltinEncoder

    return BuiltinEncoder()


def _builtin_signal(runtime: Runtime) -> Encoder:
    from soundalike.models.encoders.builtin.signal_encoder import SignalEncoder

    return SignalEncoder()


def _clap(name: str) -> Callable[[Runtime], Encoder]:
    def load(runtime: Runtime) -> Encoder:
        from soundalike.models.checkpoints import local_checkpoint
        from soundalike.models.encoders.clap.clap_encoder import ClapEncoder

        return ClapEncoder.load(local_checkpoint(name), runtime)

    return load


def _muq_mulan(runtime: Runtime) -> Encoder:
    from soundalike.models.checkpoints import local_checkpoint
    from soundalike.models.encoders.muq_mulan.muq_mulan_encoder import MuqMulanEncoder

    return MuqMulanEncoder.load(local_checkpoint("muq-mulan"), runtime)


def _mert(checkpoint: str) -> Callable[[Runtime, str, int | None], Encoder]:
    def load(runtime: Runtime, name: str = checkpoint, layer: int | None = None) -> Encoder:
        from soundalike.models.checkpoints import local_checkpoint
        from soundalike.models.encoders.mert.mert_encoder import MertEncoder

        return MertEncoder(name, local_checkpoint(checkpoint), runtime, layer)

    return load


def _aisfx(runtime: Runtime) -> Encoder:
    from soundalike.models.checkpoints import local_checkpoint
    from soundalike.models.encoders.aisfx.aisfx_encoder import AisfxEncoder

    return AisfxEncoder(local_checkpoint("aisfx"), runtime)


def _mert_row(name: str, summary: str) -> EncoderRow:
    load = _mert(name)
    return EncoderRow(
        lambda runtime: load(runtime, name, None),
        summary,
        "CC-BY-NC-4.0",
        checkpoint=name,
        extra="neural",
        precisions=PRECISIONS,
        with_layer=load,
    )


def _trained_row(name: str, summary: str) -> EncoderRow:
    def load(runtime: Runtime) -> Encoder:
        from soundalike.models.encoders.trained.trained_encoder import TrainedEncoder

        return TrainedEncoder.load(name, runtime)

    return EncoderRow(load, summary, "that of your training data", extra="train", trained=True)


ENCODERS: EncoderTable = EncoderTable(
    {
        "builtin": EncoderRow(
            _builtin,
            "timbre, rhythm and harmony by signal processing and a small network; no download, no torch",
            "Apache-2.0",
            earlier={"1": _builtin_signal},
        ),
        "clap": EncoderRow(
            _clap("clap"),
            "LAION-CLAP 630k-audioset-best, as in the paper; audio and text",
            "CC0-1.0",
            checkpoint="clap",
            extra="neural",
            precisions=PRECISIONS,
            text=True,
        ),
        "clap-music": EncoderRow(
            _clap("clap-music"),
            "LAION-CLAP music_audioset_epoch_15_esc_90.14, recommended by its authors for music; audio and text",
            "CC0-1.0",
            checkpoint="clap-music",
            extra="neural",
            precisions=PRECISIONS,
            text=True,
        ),
        "muq-mulan": EncoderRow(
            _muq_mulan,
            "MuQ-MuLan-large, the best in the paper; audio and text",
            "CC-BY-NC-4.0",
            checkpoint="muq-mulan",
            extra="neural",
            precisions=PRECISIONS,
            text=True,
        ),
        "aisfx": EncoderRow(
            _aisfx,
            "aiSFX, trained on libraries of sound effects: timbre of single sounds; 23 MB",
            "CC-BY-4.0",
            checkpoint="aisfx",
            extra="neural",
            precisions=PRECISIONS,
        ),
        "mert": _mert_row("mert", "MERT-v1-95M, mean over all layers; mert:7 for the seventh layer alone"),
        "mert-330m": _mert_row("mert-330m", "MERT-v1-330M, the larger one; layers as for mert"),
        "dcsn": _trained_row("dcsn", "after D-CSN (Hashizume et al. 2025): parts from the mixture, without separation"),
        "cascade": _trained_row(
            "cascade", "after Cascade (Imamura et al. 2025): a separator and a network for each part"
        ),
        "cascade-paft": _trained_row("cascade-paft", "after Cascade-PAFT: Cascade tuned to answers of listeners"),
    }
)


def load_encoder(name: str, runtime: Runtime | None = None, version: str | None = None) -> Encoder:
    """The encoder called `name`, in an earlier version if `version` is one of the row's, else in the current one.

    Raises InputError if there is none of that name or its extra is not installed, CheckpointError if its weights are
    missing or damaged.
    """
    if name not in ENCODERS:
        raise InputError(f"unknown encoder {name!r}; choose one of {', '.join(ENCODERS)} (see `soundalike models`)")
    row = ENCODERS[name]
    require_extra(row.extra, f"the encoder {name}")
    load = row.load if version is None else row.earlier.get(version, row.load)
    return load(runtime or Runtime())
