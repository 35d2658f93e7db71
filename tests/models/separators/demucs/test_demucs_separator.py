"""HTDemucs is what the package demucs computes, whatever the length, and its files are read without trust."""

from __future__ import annotations

import functools
import math
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="needs the extra: neural")

from soundalike.config import Runtime  # noqa: E402
from soundalike.errors import CheckpointError, InputError  # noqa: E402
from soundalike.models.checkpoints import LocalCheckpoint  # noqa: E402
from soundalike.models.neural import device as devices  # noqa: E402
from soundalike.models.separators import SEPARATORS, Separator  # noqa: E402
from soundalike.models.separators.demucs import demucs_separator as separators  # noqa: E402
from soundalike.models.separators.demucs.demucs_network import frames, load_core, read_architecture, segment_samples  # noqa: E402
from soundalike.models.separators.demucs.demucs_separator import DemucsSeparator  # noqa: E402
from tests.models.neural.narrow_demucs import (  # noqa: E402
    FILES,
    PARAMETERS,
    SOURCES,
    Original,
    arguments,
    as_json,
    decibels,
    demucs_checkpoint,
    mixture,
    write_demucs,
)

pytestmark = pytest.mark.neural

Samples = NDArray[np.float32]

NAMES = sorted(SOURCES)
OURS = {"other": "residuals"} | {name: name for name in ("bass", "drums", "guitar", "piano", "vocals")}
SEGMENT = 11025  # samples of the narrow models' segments
CPU = Runtime("cpu")
GOLDEN = Path(__file__).parents[2] / "neural" / "golden_demucs.npz"


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the narrow checkpoints, and the cache in it: each is converted once for all tests here."""
    folder = tmp_path_factory.mktemp("demucs")
    for name in NAMES:
        write_demucs(folder / FILES[name], arguments(name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOUNDALIKE_CACHE", str(folder / "cache"))
        yield folder


@functools.cache
def separator(folder: Path, name: str = "htdemucs", runtime: Runtime = CPU) -> DemucsSeparator:
    return DemucsSeparator.load(demucs_checkpoint(folder / FILES[name], name), runtime)


@functools.cache
def original(folder: Path, name: str = "htdemucs") -> Original:
    return Original(folder / FILES[name])


def least_decibels(stems: dict[str, Samples], wanted: dict[str, Samples]) -> float:
    return min(decibels(stems[OURS[source]], stem) for source, stem in wanted.items())


@pytest.mark.parametrize("name", NAMES)
def test_it_agrees_with_its_row_in_the_table(folder: Path, name: str) -> None:
    ours = separator(folder, name)
    assert isinstance(ours, Separator)
    assert (ours.name, ours.parts) == (name, SEPARATORS[name].parts)
    assert (ours.sample_rate, ours.channels) == (44100, 2)
    assert ours.version.endswith(demucs_checkpoint(folder / FILES[name], name).digest)


@pytest.mark.parametrize("name", NAMES)
def test_stems_equal_those_of_demucs(folder: Path, name: str) -> None:
    mix = mixture(1.3)
    wanted = original(folder, name).separate(mix)
    stems = separator(folder, name).separate(mix)
    assert list(stems) == list(SEPARATORS[name].parts)
    assert all(stem.dtype == np.float32 and stem.shape == mix.shape for stem in stems.values())
    assert least_decibels(stems, wanted) > 100
    # Exchanged stems would be noticed, because they differ from each other and from the mixture.
    for source, stem in wanted.items():
        for other in [mix, *(wanted[name] for name in wanted if name != source)]:
            assert decibels(stem, other) < 10


@pytest.mark.parametrize("samples", [2, 2205, SEGMENT, SEGMENT + 1, 3 * SEGMENT + 7])
def test_stems_of_any_length_equal_those_of_demucs(folder: Path, samples: int) -> None:
    mix = mixture(1.0)[:, :samples]
    assert least_decibels(separator(folder).separate(mix), original(folder).separate(mix)) > 100


def test_gain_offset_and_channels_are_preserved(folder: Path) -> None:
    ours, theirs = separator(folder), original(folder)
    mix = mixture(0.5)
    for changed in (0.01 * mix, 3 * mix, mix + np.float32(0.2), mix[::-1].copy(), mix * np.float32([[1], [0]])):
        assert least_decibels(ours.separate(changed), theirs.separate(changed)) > 95


@pytest.mark.parametrize("name", NAMES)
def test_stems_equal_the_golden_ones(folder: Path, name: str) -> None:
    """From `python -m benchmarks.parity_demucs golden` with demucs 4.1.0; other versions must agree with them."""
    with np.load(GOLDEN) as golden:
        stems = separator(folder, name).separate(mixture(float(golden["seconds"])))
        step = int(golden["step"])
        for part, stem in stems.items():
            assert decibels(stem[:, ::step], golden[f"{name}/{part}"]) > 80


def test_fast_is_close_but_not_equal(folder: Path) -> None:
    if not devices.cpu_has_bfloat16():
        pytest.skip("this processor has no bfloat16")
    mix = mixture(0.6)
    exact, fast = (
        separator(folder, runtime=Runtime("cpu", precision)).separate(mix) for precision in ("exact", "fast")
    )
    for part, stem in exact.items():
        assert (
            12 < decibels(fast[part], stem) < 90
        )  # of random weights; 40 dB on one processor, 17 on one with matrix units


def test_stems_are_independent_of_the_batch_size(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mix = mixture(1.0)
    one = separator(folder).separate(mix)
    monkeypatch.setattr(separators, "_BATCH_CPU", 4)
    four = DemucsSeparator.load(demucs_checkpoint(folder / FILES["htdemucs"], "htdemucs"), CPU)
    for part, stem in four.separate(mix).items():
        np.testing.assert_allclose(stem, one[part], atol=1e-6)


def test_silence_and_extreme_mixtures_have_finite_stems(folder: Path) -> None:
    ours = separator(folder)
    for samples in (0, 1, 2205, 2 * SEGMENT):
        for stem in ours.separate(np.zeros((2, samples), np.float32)).values():
            assert stem.shape == (2, samples)
            assert not stem.any()
    mix = mixture(0.3)
    one_side_inverted = np.stack([mix[0], -mix[0]])  # with a silent mono sum
    quiet_end = np.concatenate([mix, np.zeros((2, 2 * SEGMENT), np.float32)], axis=1)
    constant = np.full((2, 3000), 0.5, np.float32)
    for odd in (mix[:, 1000:1001], one_side_inverted, quiet_end, constant, 1e-30 * mix, 1e5 * mix):
        stems = ours.separate(odd.astype(np.float32))
        assert all(np.isfinite(stem).all() and stem.shape == odd.shape for stem in stems.values())


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, 100), np.float32),
        np.zeros(100, np.float32),
        np.zeros((2, 100)),
        np.full((2, 9), np.nan, np.float32),
    ],
)
def test_other_than_finite_stereo_float32_is_refused(folder: Path, wrong: NDArray[Any]) -> None:
    with pytest.raises(InputError, match=r"cannot be separated: give|not finite"):
        separator(folder).separate(wrong)


def test_the_mixture_is_not_changed(folder: Path) -> None:
    mix = mixture(0.1)
    mix.flags.writeable = False
    separator(folder).separate(mix)


def test_context_and_segment_seconds_fill_whole_segments() -> None:
    """Published models: a single window of 10 s takes two segments, the longest input 20, even if rounded up by two samples."""
    stride = int(0.75 * int(7.8 * 44100))
    for seconds, segments in ((10.0, 2), (DemucsSeparator.segment_seconds, 20)):
        samples = math.ceil((seconds + 2 * DemucsSeparator.context) * 44100)
        assert math.ceil((samples + 2) / stride) == segments
        assert math.ceil((samples + 0.05 * 44100) / stride) == segments + 1


@pytest.mark.parametrize("name", NAMES)
def test_the_full_architecture_is_the_published_one(tmp_path: Path, name: str) -> None:
    """Compared by the number of parameters in the published file and the segment length in its description."""
    path = tmp_path / FILES[name]
    from safetensors.torch import save_file

    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": as_json(arguments(name, full=True))}
    save_file({"nothing": torch.zeros(1)}, path, metadata=metadata)
    model = read_architecture(path, name)
    assert sum(value.numel() for value in model.state_dict().values()) == PARAMETERS[name]
    assert (segment_samples(model), frames(model)) == (343980, 336)


def test_weights_in_float16_are_used_in_float32(folder: Path) -> None:
    path = folder / FILES["htdemucs"]
    from safetensors.torch import load_file

    stored = load_file(path)
    weights = load_core(path, "htdemucs").model.state_dict()
    assert {value.dtype for value in stored.values()} == {torch.float16}
    assert {value.dtype for value in weights.values()} == {torch.float32}
    assert all(torch.equal(weights[key], value.float()) for key, value in stored.items())


def test_arguments_that_demucs_no_longer_has_are_ignored(folder: Path, tmp_path: Path) -> None:
    given = arguments("htdemucs")
    path = write_demucs(tmp_path / FILES["htdemucs"], given, kwargs=as_json(given | {"long_gone": 1}))
    assert read_architecture(path, "htdemucs").sources == SOURCES["htdemucs"]


def test_positional_arguments_are_read(tmp_path: Path) -> None:
    given = arguments("htdemucs")
    kwargs = {key: value for key, value in given.items() if key != "sources"}
    path = write_demucs(tmp_path / FILES["htdemucs"], given, args=as_json([given["sources"]]), kwargs=as_json(kwargs))
    assert read_architecture(path, "htdemucs").sources == SOURCES["htdemucs"]


class Malice:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("file", ["955717e8.safetensors", "955717e8-8726e21a.th"])
def test_code_in_a_file_is_not_run(tmp_path: Path, file: str, zipped: bool) -> None:
    path, proof = tmp_path / file, tmp_path / "proof"
    package = {"klass": Malice(f"touch {proof}"), "args": [], "kwargs": {}, "state": {}}
    if zipped:
        torch.save(package, path)
    else:
        path.write_bytes(pickle.dumps(package))
    with pytest.raises(CheckpointError, match=r"not a safetensors file.*models fetch.*\.th files") as caught:
        DemucsSeparator.load(LocalCheckpoint("htdemucs", {file: path}, "0"), CPU)
    assert "\n" not in str(caught.value)
    assert not proof.exists()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_truncated_files_are_refused(folder: Path, tmp_path: Path, share: float) -> None:
    whole, path = folder / FILES["htdemucs"], tmp_path / FILES["htdemucs"]
    path.write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])
    with pytest.raises(CheckpointError, match=r"955717e8.*is damaged.*models fetch") as caught:
        separator(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_other_model_is_refused(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"not a checkpoint of htdemucs: its sources are .*guitar.*, expected"):
        DemucsSeparator.load(demucs_checkpoint(folder / FILES["htdemucs_6s"], "htdemucs"), CPU)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"klass": "demucs.hdemucs.HDemucs"}, "its class is demucs.hdemucs.HDemucs, expected"),
        ({"klass": "os.system"}, "its class is os.system, expected"),
        ({"kwargs": "{}"}, "its arguments do not fit .*sources"),
        ({"kwargs": "{"}, "its arguments do not fit .*JSONDecodeError"),
        ({"samplerate": 48000}, "its samplerate is 48000, expected 44100"),
        ({"audio_channels": 1}, "its audio_channels is 1, expected 2"),
        ({"cac": False}, "its cac is False, expected True"),
        ({"use_train_segment": False}, "its use_train_segment is False, expected True"),
        ({"t_sin_random_shift": 3}, "its t_sin_random_shift is 3, expected 0"),
        ({"t_layers": 0}, "are not joined by a transformer only"),
        ({"depth": 4}, "are not joined by a transformer only"),
    ],
)
def test_another_architecture_is_refused(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    given = arguments("htdemucs")
    metadata = changed if changed.keys() & {"klass", "kwargs"} else {"kwargs": as_json(given | changed)}
    path = write_demucs(tmp_path / FILES["htdemucs"], given, **metadata)
    with pytest.raises(CheckpointError, match=f"is not a checkpoint of htdemucs: .*{message}") as caught:
        read_architecture(path, "htdemucs")
    assert "\n" not in str(caught.value)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    given = arguments("htdemucs")
    write_demucs(tmp_path / FILES["htdemucs"], given, kwargs=as_json(given | {"channels": 16}))
    with pytest.raises(CheckpointError, match=r"is not a checkpoint of htdemucs: .* has the shape .*, expected"):
        separator(tmp_path).separate(mixture(0.5))
