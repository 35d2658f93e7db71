"""Our LAION-CLAP against the vectors of laion_clap 1.1.7 (golden values), and every way it can go wrong."""

from __future__ import annotations

import functools
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra: neural")

import librosa  # noqa: E402

from soundalike.config import Runtime  # noqa: E402
from soundalike.errors import CheckpointError, InputError  # noqa: E402
from soundalike.models.checkpoints import LocalCheckpoint  # noqa: E402
from soundalike.models.encoders import Encoder, TextEncoder  # noqa: E402
from soundalike.models.encoders.clap import clap_frontend, clap_network  # noqa: E402
from soundalike.models.encoders.clap.clap_encoder import MODELS, ClapEncoder  # noqa: E402
from soundalike.models.encoders.clap.clap_network import UNUSED, TextSizes  # noqa: E402
from soundalike.models.encoders.clap.clap_tokens import LENGTH, Tokens  # noqa: E402
from soundalike.models.neural.device import cpu_has_bfloat16  # noqa: E402
from tests.models.neural.clips import clip  # noqa: E402
from tests.models.neural.narrow_clap import (  # noqa: E402
    TOKENIZER,
    WEIGHTS,
    cases,
    facts,
    golden,
    narrow_clap,
    narrow_model,
    narrow_state,
    write_checkpoint,
    write_files,
)

pytestmark = pytest.mark.neural

EXACT = Runtime("cpu")
SAME = 3e-6
"""Between ours and the original's unit vectors. Pure sweeps come near it, by the original's own rounding in float32."""
OTHER = 1e-5


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of converted networks of this module's own: one conversion for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("SOUNDALIKE_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> LocalCheckpoint:
    return write_files(tmp_path_factory.mktemp("clap"))


@pytest.fixture(scope="module")
def encoder(files: LocalCheckpoint) -> ClapEncoder:
    """With its tower loaded, which checks the front end before tests change it."""
    encoder = ClapEncoder(narrow_model(), files, EXACT)
    encoder.embed(windows()[:1])
    return encoder


@functools.cache
def sounds() -> list[np.ndarray]:
    return cases()


def windows() -> list[np.ndarray]:
    return [window for sound in sounds() for window in clap_frontend.split_windows(sound)]


def test_audio_vectors_equal_the_original(encoder: ClapEncoder) -> None:
    np.testing.assert_allclose(encoder.embed(windows()), golden()["windows"], atol=SAME)


def test_text_vectors_of_token_ids_equal_the_original(encoder: ClapEncoder) -> None:
    arrays = golden()
    np.testing.assert_allclose(encoder.embed_tokens(arrays["ids"], arrays["mask"]), arrays["texts"], atol=SAME)


def test_the_golden_vectors_differ_from_each_other() -> None:
    for rows in (golden()["windows"], golden()["texts"]):
        assert np.median((rows @ rows.T)[~np.eye(len(rows), dtype=bool)]) < 0.9


def mel(**options: Any) -> Callable[[], np.ndarray]:
    standard = {"sr": 48_000, "n_fft": 1024, "n_mels": 64, "fmin": 50, "fmax": 14_000}
    return lambda: librosa.filters.mel(**(standard | options)).T


def only_zeros_after(samples: np.ndarray) -> np.ndarray:
    return np.pad(samples, (0, clap_frontend.WINDOW - len(samples)))


WRONG: dict[str, tuple[str, Callable[..., np.ndarray]]] = {
    "samples not truncated to 16 bits": ("_quantise", lambda samples: np.clip(samples, -1, 1)),
    "samples rounded to 16 bits": ("_quantise", lambda samples: np.round(np.clip(samples, -1, 1) * 32767) / 32767),
    "samples not clipped": ("_quantise", lambda samples: np.trunc(samples * np.float32(32767)) / 32767),
    "zeros after a short clip, no repeats": ("_fill", only_zeros_after),
    "repeats up to the end, no zeros": ("_fill", lambda samples: np.resize(samples, clap_frontend.WINDOW)),
    "a symmetric instead of a periodic window": ("hann", lambda: np.hanning(1024)),
    "mel bands from 0 Hz, the default of librosa": ("mel_bands", mel(fmin=0)),
    "mel bands up to half the sample rate, the default of librosa": ("mel_bands", mel(fmax=None)),
    "mel bands of HTK": ("mel_bands", mel(htk=True)),
    "mel bands of equal height": ("mel_bands", mel(norm=None)),
}


@pytest.mark.parametrize("change", WRONG)
def test_a_changed_front_end_changes_the_vectors(
    encoder: ClapEncoder, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    name, wrong = WRONG[change]
    monkeypatch.setattr(clap_frontend, name, wrong)
    some = [0, 1, 4]  # short and loud, short and quiet, clipped
    deviation = np.abs(encoder.embed([windows()[index] for index in some]) - golden()["windows"][some]).max()
    assert deviation > OTHER


def test_another_epsilon_of_the_text_tower_changes_the_vectors(
    files: LocalCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import ClapTextConfig

    def with_default(**options: Any) -> Any:
        return ClapTextConfig(**{name: value for name, value in options.items() if name != "layer_norm_eps"})

    monkeypatch.setattr("transformers.ClapTextConfig", with_default)
    arrays = golden()
    rows = ClapEncoder(narrow_model(), files, EXACT).embed_tokens(arrays["ids"], arrays["mask"])
    assert np.abs(rows - arrays["texts"]).max() > OTHER


def test_attention_to_padding_changes_the_vectors(encoder: ClapEncoder) -> None:
    arrays = golden()
    rows = encoder.embed_tokens(arrays["ids"], np.ones_like(arrays["mask"]))
    assert np.abs(rows - arrays["texts"]).max() > OTHER


def test_a_long_clip_is_the_mean_of_its_windows_by_length(encoder: ClapEncoder) -> None:
    theirs = golden()["windows"]
    sums = [10.0 * theirs[8] + 2.3 * theirs[9], theirs[10] + theirs[11] + theirs[12]]
    expected = [row / np.linalg.norm(row) for row in sums]
    np.testing.assert_allclose(encoder.embed(sounds()[-2:]), expected, atol=SAME)


def test_one_sample_more_than_a_window_changes_the_vector_little(encoder: ClapEncoder) -> None:
    sound = clip(10.0, 48_000, 4)
    longer = np.append(sound, np.float32(0.5))
    np.testing.assert_allclose(encoder.embed([longer]), encoder.embed([sound]), atol=SAME)


def test_windows_of_zeros_are_skipped(encoder: ClapEncoder) -> None:
    sound = clip(10.0, 48_000, 4)
    padded = np.concatenate([np.zeros_like(sound), sound, np.zeros(5, np.float32)])
    np.testing.assert_allclose(encoder.embed([padded]), encoder.embed([sound]), atol=1e-6)


def test_rows_are_independent_of_the_batch(encoder: ClapEncoder) -> None:
    several = [*windows()[:9], np.zeros(100, np.float32), np.zeros(0, np.float32)]
    together = encoder.embed(several)
    alone = np.concatenate([encoder.embed([sound]) for sound in several])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), [1] * 9 + [0, 0], atol=1e-6)


def test_text_rows_have_unit_norm_and_are_independent_of_the_batch(encoder: ClapEncoder) -> None:
    texts = [*"abcdefgh", "dry funk snare", "walking bass " * 60]
    rows = encoder.embed_text(texts)
    alone = np.concatenate([encoder.embed_text([text]) for text in texts])
    np.testing.assert_allclose(rows, alone, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert encoder.embed_text([]).shape == (0, encoder.dimension)


def test_it_implements_both_protocols(encoder: ClapEncoder) -> None:
    assert isinstance(encoder, Encoder)
    assert isinstance(encoder, TextEncoder)
    assert encoder.version.endswith("+0123456789abcdef")
    assert (encoder.sample_rate, encoder.clip_seconds) == (48_000, 10.0)


def test_published_models_have_their_sizes() -> None:
    checkpoint = LocalCheckpoint("clap-music", {}, "")
    encoder = ClapEncoder.load(checkpoint, EXACT)
    assert (encoder.name, encoder.dimension) == ("clap-music", 512)
    assert MODELS["clap"].audio.depths == (2, 2, 6, 2)
    assert MODELS["clap-music"].audio.depths == (2, 2, 12, 2)


def test_texts_are_embedded_without_the_audio_tower(files: LocalCheckpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_arguments: Any) -> None:
        raise AssertionError("the audio tower was loaded")

    monkeypatch.setattr("soundalike.models.encoders.clap.clap_encoder.load_audio_tower", never)
    monkeypatch.setattr("soundalike.models.encoders.clap.clap_encoder.compile_network", never)
    assert ClapEncoder(narrow_model(), files, EXACT).embed_text(["x"]).any()


@pytest.mark.skipif(not cpu_has_bfloat16(), reason="this processor has no bfloat16")
def test_fast_is_nearly_exact(files: LocalCheckpoint, encoder: ClapEncoder) -> None:
    fast = ClapEncoder(narrow_model(), files, Runtime("cpu", "fast")).embed(windows()[:8])
    cosines = (fast * encoder.embed(windows()[:8])).sum(axis=1)
    assert 0.999 < cosines.min() < 1 - 1e-9


@pytest.mark.parametrize("wrong", [np.zeros((2, 9), np.float32), np.array([0.1, np.nan], np.float32)])
def test_other_than_mono_finite_waveforms_are_refused(encoder: ClapEncoder, wrong: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"mono|finite"):
        encoder.embed([wrong])


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_text_is_refused(encoder: ClapEncoder, text: str) -> None:
    with pytest.raises(InputError, match="is empty"):
        encoder.embed_text(["snare", text])


def test_tokens_equal_those_of_the_original_call(files: LocalCheckpoint) -> None:
    """`tokenize(text, padding="max_length", truncation=True, max_length=77)` in laion_clap's hook.py."""
    from transformers import PreTrainedTokenizerFast

    path = files.paths[TOKENIZER]
    texts = ["dry funk snare", "x", "Größe", "walking bass " * 60]
    tokenize = PreTrainedTokenizerFast(tokenizer_file=str(path), pad_token="<pad>")
    expected = tokenize(texts, padding="max_length", truncation=True, max_length=77)
    ids, mask = Tokens(path, facts()["sizes"]["vocabulary"])(texts)
    np.testing.assert_array_equal(ids, expected["input_ids"])
    np.testing.assert_array_equal(mask, expected["attention_mask"])
    assert ids.shape == (4, LENGTH)
    assert list(ids[1, [0, 2, 3, -1]]) == [0, 2, 1, 1]  # <s> x </s> <pad> ... <pad>
    assert (ids[3, 0], ids[3, -1], mask[3].sum()) == (0, 2, LENGTH)


def test_every_unused_weight_is_in_the_original_checkpoint() -> None:
    names = [name.removeprefix("module.") for name in facts()["shapes"]]
    for pattern in UNUSED:
        assert any(re.fullmatch(pattern, name) for name in names), pattern


# Wrong checkpoints


def changed_encoder(folder: Path, change: Callable[[dict[str, Any]], None]) -> ClapEncoder:
    """An encoder with a checkpoint whose state_dict was changed, and a digest of its own, so that it is converted."""
    state = narrow_state()
    change(state)
    write_checkpoint(folder / WEIGHTS, state)
    return ClapEncoder(narrow_model(), LocalCheckpoint("clap", {WEIGHTS: folder / WEIGHTS}, folder.name), EXACT)


def assert_refused(encoder: ClapEncoder, message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as caught:
        encoder.embed([np.ones(100, np.float32)])
    assert "\n" not in str(caught.value)
    assert WEIGHTS in str(caught.value)


def test_a_checkpoint_without_a_weight_is_refused(tmp_path: Path) -> None:
    name = "module.audio_branch.layers.0.blocks.1.mlp.fc2.bias"
    assert_refused(
        changed_encoder(tmp_path, lambda state: state.pop(name)), r"encoder\.layers\.0\.blocks\.1\.output.* is missing"
    )


def test_a_checkpoint_trained_with_fusion_is_refused(tmp_path: Path) -> None:
    name = "module.audio_branch.patch_embed.mel_conv2d.bias"
    assert_refused(
        changed_encoder(tmp_path, lambda state: state.update({name: torch.zeros(3)})),
        "trained with fusion .*mel_conv2d.bias",
    )


def test_a_checkpoint_of_another_width_is_refused(tmp_path: Path) -> None:
    name = "module.audio_branch.norm.weight"
    assert_refused(
        changed_encoder(tmp_path, lambda state: state.update({name: torch.zeros(3)})), r"\(3,\), expected \(128,\)"
    )


@pytest.mark.parametrize("name", ["logmel_extractor.melW", "spectrogram_extractor.stft.conv_real.weight"])
def test_a_checkpoint_trained_on_other_spectrograms_is_refused(tmp_path: Path, name: str) -> None:
    def change(state: dict[str, Any]) -> None:
        state[f"module.audio_branch.{name}"] = state[f"module.audio_branch.{name}"].roll(1, 0 if "mel" in name else -1)

    assert_refused(changed_encoder(tmp_path, change), "other spectrograms .*SOUNDALIKE_IGNORE_FRONT_END=1")


def test_other_spectrograms_can_be_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def change(state: dict[str, Any]) -> None:
        name = "module.audio_branch.logmel_extractor.melW"
        state[name] = state[name].roll(1, 0)

    monkeypatch.setenv("SOUNDALIKE_IGNORE_FRONT_END", "1")
    assert changed_encoder(tmp_path, change).embed([np.ones(100, np.float32)]).any()
    (message,) = caplog.messages
    assert "other spectrograms" in message
    assert message.endswith("it is used because SOUNDALIKE_IGNORE_FRONT_END is set")


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    assert_refused(changed_encoder(tmp_path, lambda state: state.clear()), "audio_branch.* is missing")
    write_checkpoint(tmp_path / WEIGHTS, {"module.names": ["bass", "drums"]})
    encoder = ClapEncoder(narrow_model(), LocalCheckpoint("clap", {WEIGHTS: tmp_path / WEIGHTS}, "1"), EXACT)
    assert_refused(encoder, "more than named weights")


def test_a_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    encoder = changed_encoder(tmp_path, lambda state: None)
    path = tmp_path / WEIGHTS
    path.write_bytes(path.read_bytes()[:-1000])
    assert_refused(encoder, "damaged")


class Code:
    """Runs a command when it is unpickled by an unsafe loader."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.command,)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    encoder = changed_encoder(tmp_path, lambda state: state.update({"module.x": Code(f"touch {trace}")}))
    assert_refused(encoder, "is not loaded")
    with pytest.raises(CheckpointError, match="is not loaded"):
        encoder.embed_tokens(golden()["ids"], golden()["mask"])
    assert not trace.exists()


def test_a_learning_rate_written_by_numpy_1_is_read(tmp_path: Path) -> None:
    """The published files have the module path of NumPy 1's scalars."""
    write_checkpoint(tmp_path / "now.pt", narrow_state())
    with zipfile.ZipFile(tmp_path / "now.pt") as now, zipfile.ZipFile(tmp_path / "then.pt", "w") as then:
        for name in now.namelist():
            content = now.read(name)
            if name.endswith("data.pkl"):
                assert b"cnumpy._core.multiarray\nscalar\n" in content
                content = content.replace(b"cnumpy._core.multiarray\nscalar\n", b"cnumpy.core.multiarray\nscalar\n")
            then.writestr(name, content)
    for name in ("now.pt", "then.pt"):
        assert len(clap_network._read(tmp_path / name, "clap")) == len(facts()["shapes"])


def test_a_damaged_or_wrong_tokenizer_is_refused(files: LocalCheckpoint, tmp_path: Path) -> None:
    path = tmp_path / TOKENIZER
    path.write_bytes(files.paths[TOKENIZER].read_bytes()[:500])
    with pytest.raises(CheckpointError, match="damaged or not a tokenizer") as caught:
        Tokens(path, 300)
    assert "\n" not in str(caught.value)
    with pytest.raises(CheckpointError, match="300 tokens, expected 50265"):
        Tokens(files.paths[TOKENIZER], TextSizes().vocabulary)


def test_the_contract_tests_get_an_encoder(tmp_path: Path) -> None:
    encoder = narrow_clap(tmp_path, EXACT)
    assert encoder.embed([clip(1.0, 48_000, 0)]).shape == (1, encoder.dimension)
