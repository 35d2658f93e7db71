"""The sizes of MuQ-MuLan are read from its configuration files, and unsupported values are refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from soundalike.errors import CheckpointError
from soundalike.models.checkpoints import CHECKPOINTS
from soundalike.models.encoders.muq_mulan.muq_settings import ConformerSettings, TransformerSettings, read_settings
from tests.models.neural.narrow_muq_mulan import FULL, NARROW, Configurations, muq_checkpoint, write_configurations


@pytest.mark.parametrize(("file", "end"), [("config.json", ""), ("xlm-roberta-config.json", "\n")])
def test_the_configurations_of_full_size_are_the_published_ones(file: str, end: str) -> None:
    text = json.dumps(FULL[file], indent=2) + end
    published = {row.name: row.sha256 for row in CHECKPOINTS["muq-mulan"].files}
    assert hashlib.sha256(text.encode()).hexdigest() == published[file]


def test_the_settings_of_full_size(tmp_path: Path) -> None:
    write_configurations(tmp_path, FULL)
    settings = read_settings(muq_checkpoint(tmp_path).paths)
    assert (settings.sample_rate, settings.clip, settings.dimension) == (24_000, 240_000, 512)
    assert settings.muq == ConformerSettings(
        hop=240,
        bands=128,
        mean=6.768444971712967,
        deviation=18.417922652295623,
        channels=512,
        strides=(2, 2),
        width=1024,
        layers=12,  # of MuQ; `w2v2_config` has the number of another model
        heads=16,
        hidden=4096,
        activation="swish",
        kernel=31,
        epsilon=1e-5,
    )
    assert settings.audio == TransformerSettings(backbone=1024, width=768, layers=0, heads=8, head=64, expansion=4)
    assert settings.text == TransformerSettings(backbone=768, width=768, layers=8, heads=8, head=64, expansion=4)
    assert (settings.vocabulary, settings.longest) == (250_002, 512)


def test_settings_are_read_from_the_files(tmp_path: Path) -> None:
    changed = copy(NARROW)
    changed["config.json"]["mulan"] |= {"sr": 16_000, "clip_secs": 5}
    changed["muq-config.json"]["label_rate"] = 50
    write_configurations(tmp_path, changed)
    settings = read_settings(muq_checkpoint(tmp_path).paths)
    assert (settings.sample_rate, settings.clip, settings.dimension) == (16_000, 80_000, 24)
    assert settings.muq.strides == (2, 1)
    assert (settings.audio.backbone, settings.audio.width, settings.audio.heads) == (32, 24, 3)
    assert (settings.vocabulary, settings.longest) == (60, 38)


@pytest.mark.parametrize(
    ("file", "place", "value", "message"),
    [
        ("config.json", ("audio_model", "use_layer_idx"), 6, "use_layer_idx is 6; expected -1"),
        ("config.json", ("mulan", "clip_secs"), 0.25, "clip_secs is 0.25; expected an integer"),
        ("config.json", ("mulan", "dim_latent"), 0, "dim_latent is 0; expected an integer of at least 1"),
        ("config.json", ("text_transformer", "tf_depth"), -1, "tf_depth is -1; expected an integer of at least 0"),
        ("config.json", ("audio_transformer", "heads"), True, "heads is True; expected a number"),
        ("config.json", ("mulan",), 3, "mulan is 3; expected named fields"),
        ("muq-config.json", ("is_flash",), True, "is_flash is True; expected False"),
        ("muq-config.json", ("features",), ["chromagram"], "features is .*'chromagram'.*expected .*melspec_2048"),
        ("muq-config.json", ("label_rate",), 75, "label_rate is 75; expected 25 or 50"),
        ("muq-config.json", ("stat", "melspec_2048_std"), "1", "melspec_2048_std is '1'; expected a number"),
        (
            "muq-config.json",
            ("w2v2_config", "position_embeddings_type"),
            "relative",
            "is 'relative'; expected 'rotary'",
        ),
        ("muq-config.json", ("w2v2_config", "hidden_act"), 1, "hidden_act is 1; expected a string"),
        ("xlm-roberta-config.json", ("model_type",), "roberta", "model_type is 'roberta'; expected 'xlm-roberta'"),
    ],
)
def test_unsupported_values_are_refused(
    tmp_path: Path, file: str, place: tuple[str, ...], value: object, message: str
) -> None:
    changed = copy(NARROW)
    fields: Any = changed[file]
    for name in place[:-1]:
        fields = fields[name]
    fields[place[-1]] = value
    write_configurations(tmp_path, changed)
    with pytest.raises(CheckpointError, match=rf"{file}.*{message}"):
        read_settings(muq_checkpoint(tmp_path).paths)


def test_a_missing_field_is_refused(tmp_path: Path) -> None:
    changed = copy(NARROW)
    del changed["muq-config.json"]["w2v2_config"]["intermediate_size"]
    write_configurations(tmp_path, changed)
    with pytest.raises(CheckpointError, match=r"muq-config.json, w2v2_config: the field intermediate_size is missing"):
        read_settings(muq_checkpoint(tmp_path).paths)


@pytest.mark.parametrize(("text", "message"), [("{", "damaged"), ("[1]", "contains a list"), (None, "damaged")])
def test_a_file_that_is_not_a_configuration_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    write_configurations(tmp_path, NARROW)
    paths = muq_checkpoint(tmp_path).paths
    path = paths["muq-config.json"]
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(CheckpointError, match=rf"muq-config.json.*{message}") as caught:
        read_settings(paths)
    assert "\n" not in str(caught.value)


def copy(configurations: Configurations) -> Configurations:
    """A deep copy."""
    copied: Configurations = json.loads(json.dumps(configurations))
    return copied
