"""D-CSN and Cascade have the facts of their papers, and what would be easily got wrong shows."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra: train")

import librosa  # noqa: E402

from soundalike.models.encoders.trained import mel_spectra  # noqa: E402
from soundalike.models.encoders.trained.cascade_network import Cascade, PartCascade, UNet  # noqa: E402
from soundalike.models.encoders.trained.dcsn_network import PARTS, Dcsn, masks  # noqa: E402
from soundalike.models.encoders.trained.embedding_network import EmbeddingNetwork  # noqa: E402
from soundalike.models.encoders.trained.mel_spectra import BANDS, BINS, StandardisedMel, magnitudes  # noqa: E402

pytestmark = pytest.mark.neural

RATE = 44_100


def noise(count: int = 2, seconds: float = 1.0) -> torch.Tensor:
    return 0.1 * torch.randn(count, round(seconds * RATE), generator=torch.Generator().manual_seed(0))


def parameters(module: torch.nn.Module) -> int:
    return sum(values.numel() for values in module.parameters())


def test_the_separator_has_the_size_of_spleeter_s() -> None:
    """19.6 million for two instruments (Hennequin et al. 2020)."""
    assert parameters(UNet()) == 9_821_809
    assert 2 * parameters(UNet()) == pytest.approx(19.6e6, rel=0.01)


def test_widths_scale_channels_and_leave_the_vectors() -> None:
    assert parameters(UNet(0.5)) == pytest.approx(parameters(UNet()) / 4, rel=0.02)
    for width in (1 / 16, 0.5):
        assert EmbeddingNetwork(128, width)(torch.randn(2, 1, BANDS, 87)).shape == (2, 128)


def test_magnitudes_and_mel_bands_are_those_of_librosa() -> None:
    samples = noise(1)
    expected = np.abs(librosa.stft(samples[0].numpy(), n_fft=2048, hop_length=512, pad_mode="constant"))
    found = magnitudes(samples)
    assert found.shape == (1, BINS, 87)
    np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-3)
    power = librosa.feature.melspectrogram(S=expected**2, sr=RATE, n_fft=2048, n_mels=259)
    bands = librosa.power_to_db(power, ref=np.max, top_db=80)
    standardised = (bands - bands.mean()) / bands.std()
    np.testing.assert_allclose(StandardisedMel()(found)[0, 0].numpy(), standardised, atol=1e-3)


def test_bands_are_standardised_clip_by_clip() -> None:
    spectra = magnitudes(torch.cat((noise(1), 0.01 * noise(1).cumsum(1))))
    bands = StandardisedMel()(spectra)
    assert bands.mean((1, 2, 3)).tolist() == pytest.approx([0, 0], abs=1e-5)
    assert bands.std((1, 2, 3)).tolist() == pytest.approx([1, 1], abs=1e-3)
    torch.testing.assert_close(StandardisedMel()(3 * spectra), bands, atol=1e-3, rtol=0)


def test_silence_gives_numbers() -> None:
    silence = torch.zeros(1, RATE)
    assert not StandardisedMel()(magnitudes(silence)).any()
    for network in (Dcsn(width=1 / 16), Cascade(width=1 / 16)):
        assert network.eval()(silence).isfinite().all()


@pytest.mark.parametrize("seconds", [0.3, 1.0, 1.7])
def test_a_mask_is_a_share_of_each_bin_for_clips_of_any_length(seconds: float) -> None:
    spectra = magnitudes(noise(2, seconds))
    mask = UNet(1 / 16)(spectra).detach()
    assert mask.shape == spectra.shape
    assert 0 <= float(mask.min()) <= float(mask.max()) <= 1
    torch.testing.assert_close(mask[:, -1], mask[:, -2])


def test_the_level_of_a_mixture_does_not_matter() -> None:
    network = PartCascade(1 / 16).eval()
    spectra = magnitudes(noise())
    torch.testing.assert_close(network(0.1 * spectra), network(spectra), atol=1e-4, rtol=1e-3)


def test_dropout_is_in_three_layers_of_the_decoder() -> None:
    rates = [module.p for module in UNet(1 / 16).modules() if isinstance(module, torch.nn.Dropout2d)]
    assert rates == [0.5, 0.5, 0.5]


def test_masked_distances_are_those_of_the_parts_values() -> None:
    network = Dcsn(width=1 / 16).eval()
    whole, parts = network.embedding(noise()), network(noise())
    assert whole.shape == (2, 640)
    assert parts.shape == (2, 5, 128)
    masked = masks(len(PARTS)) * (whole[0] - whole[1])
    assert masks(5).sum(0).tolist() == [1] * 640
    torch.testing.assert_close(masked.norm(dim=1), (parts[0] - parts[1]).norm(dim=1))


def test_each_part_of_cascade_has_networks_of_its_own() -> None:
    network = Cascade(("bass", "drums"), 1 / 16)
    network(noise())[:, 0].sum().backward()
    gradients = {name: values.grad for name, values in network.named_parameters() if values.grad is not None}
    trained = {name.split(".")[1] for name, gradient in gradients.items() if gradient.any()}
    assert trained == {"bass"}


def test_the_embedding_s_gradient_reaches_the_separator() -> None:
    network = PartCascade(1 / 16)
    network(magnitudes(noise())).square().sum().backward()
    assert all(values.grad is not None and values.grad.isfinite().all() for values in network.separator.parameters())


def test_constants() -> None:
    assert (mel_spectra.SAMPLE_RATE, mel_spectra.FRAME, mel_spectra.HOP, BANDS) == (44_100, 2_048, 512, 259)
