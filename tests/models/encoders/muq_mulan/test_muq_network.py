"""The towers of MuQ-MuLan: compared with conformer and XLM-RoBERTa of transformers, and loading of weights."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra: neural")

from soundalike.errors import CheckpointError  # noqa: E402
from soundalike.models.encoders.muq_mulan.muq_network import (  # noqa: E402
    AUDIO_NAMES,
    TEXT_NAMES,
    Conformer,
    Roberta,
    load_audio_tower,
    load_text_tower,
    rotary_frequencies,
    tower_weights,
)
from soundalike.models.encoders.muq_mulan.muq_settings import Settings, read_settings  # noqa: E402
from tests.models.neural.narrow_muq_mulan import NARROW, draw_state, muq_checkpoint, write_narrow  # noqa: E402

pytestmark = pytest.mark.neural

WEIGHTS = "pytorch_model.bin"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a narrow checkpoint in `tmp_path`."""
    write_narrow(tmp_path)
    return read_settings(muq_checkpoint(tmp_path).paths)


def random_state(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Random weights for `module`."""
    shapes = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    return {name: torch.from_numpy(value) for name, value in draw_state(shapes).items()}


@pytest.mark.parametrize("steps", [1, 5, 40])
def test_the_conformer_equals_that_of_transformers(settings: Settings, steps: int) -> None:
    from transformers import Wav2Vec2ConformerConfig
    from transformers.models.wav2vec2_conformer.modeling_wav2vec2_conformer import Wav2Vec2ConformerEncoder

    fields = NARROW["muq-config.json"]["w2v2_config"] | {"num_hidden_layers": 2}
    theirs = Wav2Vec2ConformerEncoder(Wav2Vec2ConformerConfig(**fields)).eval()
    weights = random_state(theirs)
    theirs.load_state_dict(weights)
    ours = Conformer(settings.muq).eval()
    ours.load_state_dict({name: value for name, value in weights.items() if "pos_conv_embed" not in name})
    inputs = torch.randn(3, steps, settings.muq.width, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(ours(inputs), theirs(inputs).last_hidden_state, atol=2e-6, rtol=1e-5)


def test_roberta_has_the_positions_of_transformers(settings: Settings) -> None:
    ours = Roberta(settings.roberta).eval()
    ours.load_state_dict(random_state(ours))
    ids = torch.tensor([[0, 7, 1, 9, 2]])  # a text can contain the padding token
    with torch.inference_mode():
        torch.testing.assert_close(ours(ids), ours.roberta(ids).last_hidden_state)


def test_towers_use_all_weights_except_the_ignored_ones(tmp_path: Path, settings: Settings) -> None:
    weights = torch.load(tmp_path / WEIGHTS)
    audio, text = (tower_weights(weights, names) for names in (AUDIO_NAMES, TEXT_NAMES))
    left = len(weights) - len(audio) - len(text)
    assert left == sum("rvq" in name or "pooler" in name or "pos_conv" in name for name in weights) + len(
        ["contrast.temperatures", "aggregator.weight", "aggregator.bias", "cls_token", "linear.weight", "linear.bias"]
    )
    assert load_audio_tower(tmp_path / WEIGHTS, settings).state_dict().keys() == audio.keys()
    assert load_text_tower(tmp_path / WEIGHTS, settings).state_dict().keys() == text.keys()


def test_the_audio_tower_can_have_no_transformer_layers(tmp_path: Path, settings: Settings) -> None:
    weights = torch.load(tmp_path / WEIGHTS)
    bare = {name: value for name, value in weights.items() if not name.startswith("mulan.audio.transformer.")}
    torch.save(bare, tmp_path / WEIGHTS)
    with pytest.raises(CheckpointError, match=r"transformer.layers.0.0.k_scale, .* is missing"):
        load_audio_tower(tmp_path / WEIGHTS, settings)
    tower = load_audio_tower(tmp_path / WEIGHTS, replace(settings, audio=replace(settings.audio, layers=0)))
    inputs = torch.randn(2, 128, 40, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        linear = torch.nn.functional.linear
        steps = tower.backbone(inputs).mean(dim=1)
        steps = linear(steps, weights["mulan.audio.proj.weight"], weights["mulan.audio.proj.bias"])
        steps = linear(steps, weights["mulan.audio_to_latents.weight"], weights["mulan.audio_to_latents.bias"])
        torch.testing.assert_close(tower(inputs), steps / steps.norm(dim=1, keepdim=True))


def test_weights_in_half_precision_are_used_in_single_precision(tmp_path: Path, settings: Settings) -> None:
    halves = {name: value.half() for name, value in torch.load(tmp_path / WEIGHTS).items()}
    torch.save(halves, tmp_path / WEIGHTS)
    tower = load_audio_tower(tmp_path / WEIGHTS, settings)
    assert {value.dtype for value in tower.parameters()} == {torch.float32}


@pytest.mark.parametrize("load", [load_audio_tower, load_text_tower])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda weights: weights.clear(), "is missing"),
        (
            lambda weights: weights.update(
                {
                    f"mulan.{kind}.transformer.layers.0.0.q_scale": torch.ones(5)  # heads of another size
                    for kind in ("audio", "text")
                }
            ),
            r"transformer.layers.0.0.q_scale has the shape \(5,\), expected \(8,\)",
        ),
    ],
)
def test_another_architecture_is_refused(
    tmp_path: Path, settings: Settings, load: object, change: object, message: str
) -> None:
    weights = torch.load(tmp_path / WEIGHTS)
    change(weights)  # type: ignore[operator]
    torch.save(weights, tmp_path / WEIGHTS)
    with pytest.raises(CheckpointError, match=f"is not a checkpoint of muq-mulan: .*{message}") as caught:
        load(tmp_path / WEIGHTS, settings)  # type: ignore[operator]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("load", [load_audio_tower, load_text_tower])
def test_unknown_weights_are_ignored_with_a_warning(
    tmp_path: Path, settings: Settings, load: object, caplog: pytest.LogCaptureFixture
) -> None:
    before = load(tmp_path / WEIGHTS, settings).state_dict()  # type: ignore[operator]
    assert caplog.messages == []
    torch.save(torch.load(tmp_path / WEIGHTS) | {"mulan.more": torch.zeros(1)}, tmp_path / "more.bin")
    after = load(tmp_path / "more.bin", settings).state_dict()  # type: ignore[operator]
    (message,) = caplog.messages
    assert "has weights that muq-mulan does not use: mulan.more; they are ignored" in message
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_missing_rotary_frequencies_are_computed(tmp_path: Path, settings: Settings) -> None:
    name = "mulan.audio.model.model.conformer.embed_positions.inv_freq"
    weights = torch.load(tmp_path / WEIGHTS)
    stored = weights.pop(name)
    torch.save(weights, tmp_path / WEIGHTS)
    tower = load_audio_tower(tmp_path / WEIGHTS, settings)
    torch.testing.assert_close(tower.backbone.conformer.embed_positions.inv_freq, stored)


@pytest.mark.parametrize("base", [10_000, 500])
def test_rotary_frequencies_equal_those_of_transformers(base: int) -> None:
    from transformers import Wav2Vec2ConformerConfig
    from transformers.models.wav2vec2_conformer.modeling_wav2vec2_conformer import (
        Wav2Vec2ConformerRotaryPositionalEmbedding,
    )

    config = Wav2Vec2ConformerConfig(hidden_size=1024, num_attention_heads=16, rotary_embedding_base=base)
    theirs = Wav2Vec2ConformerRotaryPositionalEmbedding(config)
    assert torch.equal(rotary_frequencies(64, base), theirs.inv_freq)


def test_weights_can_be_in_safetensors(tmp_path: Path, settings: Settings) -> None:
    from safetensors.torch import save_file

    before = load_audio_tower(tmp_path / WEIGHTS, settings).state_dict()
    save_file(torch.load(tmp_path / WEIGHTS), tmp_path / "model.safetensors", metadata={"format": "pt"})
    after = load_audio_tower(tmp_path / "model.safetensors", settings).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_nested_weights_are_refused(tmp_path: Path, settings: Settings) -> None:
    torch.save({"epoch": 15, "state_dict": {"module.logit_scale_a": torch.zeros(())}}, tmp_path / WEIGHTS)
    with pytest.raises(CheckpointError, match="is not a checkpoint of muq-mulan: its entry epoch is not a tensor"):
        load_audio_tower(tmp_path / WEIGHTS, settings)


def test_a_truncated_file_is_refused(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / WEIGHTS
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CheckpointError, match="damaged or not a checkpoint"):
        load_audio_tower(path, settings)


class Malice:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


def test_code_in_the_file_is_not_run(tmp_path: Path, settings: Settings) -> None:
    proof = tmp_path / "proof"
    weights = torch.load(tmp_path / WEIGHTS)
    torch.save(weights | {"mulan.contrast.temperatures": Malice(f"touch {proof}")}, tmp_path / WEIGHTS)
    with pytest.raises(CheckpointError, match="contains more than weights"):
        load_audio_tower(tmp_path / WEIGHTS, settings)
    assert not proof.exists()
