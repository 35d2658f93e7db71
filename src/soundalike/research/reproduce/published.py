"""The paper's own figures: Vohra & Akama, "Interpretable and perceptually-aligned music similarity with
pretrained embeddings" (arXiv 2601.19109), Tables 1 to 4.

Table 1 is kept as counts: its percentages are exact ratios of them (right / triplets kept).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from soundalike.preferences.triplets import Kind
from soundalike.similarity.profiles import shipped_profiles

COLUMNS = ("drums", "bass", "guitar", "piano", "residuals", "mix")
"""The columns of Table 1; all but `mix` are true-stem clips compared by themselves."""

CUT_OFFS = MappingProxyType({"clap": 0.75, "muq-mulan": 0.80})
"""Agreement from which the paper keeps triplets, by encoder: two triplet sets, so its rows are not comparable cell by cell."""

FIT_CUT_OFF = 0.80
"""The cut-off of Tables 2 to 4."""


def _row(counts: tuple[int, ...]) -> Mapping[str, int]:
    return MappingProxyType(dict(zip(COLUMNS, counts, strict=True)))


KEPT: Mapping[tuple[Kind, float], Mapping[str, int]] = MappingProxyType(
    {
        ("XAB", 0.75): _row((130, 129, 120, 127, 126, 146)),
        ("XYC", 0.75): _row((384, 363, 374, 386, 362, 214)),
        ("XAB", 0.80): _row((92, 95, 90, 83, 95, 127)),
        ("XYC", 0.80): _row((376, 342, 361, 376, 351, 204)),
    }
)
"""Number of triplets kept, by kind and cut-off; the released answers reproduce it exactly."""

STRICT_KEPT: Mapping[str, int] = MappingProxyType({"drums": 115, "bass": 112, "guitar": 105, "piano": 106})
"""Number of XAB triplets in the subset on which other systems were evaluated (Imamura et al.)."""

RIGHT: Mapping[tuple[str, Kind], Mapping[str, int]] = MappingProxyType(
    {
        ("clap", "XAB"): _row((102, 90, 77, 87, 81, 105)),
        ("clap", "XYC"): _row((364, 335, 326, 364, 331, 191)),
        ("muq-mulan", "XAB"): _row((73, 68, 60, 55, 62, 92)),
        ("muq-mulan", "XYC"): _row((365, 316, 314, 358, 308, 197)),
    }
)
"""Number of triplets on which the cosine agrees with the majority, by encoder (at its cut-off) and kind."""

OTHERS: Mapping[tuple[str, Kind], Mapping[str, float]] = MappingProxyType(
    {
        ("D-CSN", "XAB"): {"drums": 52.7, "bass": 67.5, "guitar": 60.1, "piano": 58.5, "residuals": 58.3},
        ("Cascade-PAFT", "XAB"): {"drums": 70.5, "bass": 76.3, "guitar": 75.8, "piano": 64.6},
        ("D-CSN", "XYC"): {"drums": 94.8, "bass": 88.6, "guitar": 92.0, "piano": 87.1, "residuals": 91.6},
        ("Cascade-PAFT", "XYC"): {"drums": 95.9, "bass": 90.1, "guitar": 91.2, "piano": 93.1},
    }
)
"""Agreement (%) of other systems as reported in the paper, on other subsets of the triplets."""

BASELINE: Mapping[str, tuple[float, float]] = MappingProxyType({"clap": (84.6, 0.0), "muq-mulan": (86.8, 2.7)})
"""Agreement (%) of the cosine of the mix in Tables 2 and 3: mean and standard deviation as printed."""

AGREEMENT: Mapping[tuple[str, str, str], tuple[float, float]] = MappingProxyType(
    {
        ("clap", "htdemucs", "ols"): (84.5, 3.0),
        ("clap", "htdemucs", "ridge"): (84.1, 2.9),
        ("clap", "true-4", "ols"): (85.9, 3.1),
        ("clap", "true-4", "ridge"): (85.7, 3.1),
        ("clap", "htdemucs_6s", "ols"): (83.6, 3.5),
        ("clap", "htdemucs_6s", "ridge"): (83.2, 3.3),
        ("clap", "true-6", "ols"): (85.4, 3.4),
        ("clap", "true-6", "ridge"): (84.6, 3.4),
        ("muq-mulan", "htdemucs", "ols"): (87.0, 3.3),
        ("muq-mulan", "htdemucs", "ridge"): (87.0, 3.3),
        ("muq-mulan", "true-4", "ols"): (87.6, 3.1),
        ("muq-mulan", "true-4", "ridge"): (87.1, 3.1),
        ("muq-mulan", "htdemucs_6s", "ols"): (90.1, 2.4),
        ("muq-mulan", "htdemucs_6s", "ridge"): (90.4, 2.3),
        ("muq-mulan", "true-6", "ols"): (87.3, 2.9),
        ("muq-mulan", "true-6", "ridge"): (87.4, 2.7),
    }
)
"""Tables 2 and 3: agreement (%), mean and standard deviation over the splits, by encoder, stems and method."""


def weights(encoder: str, stems: str) -> Mapping[str, float] | None:
    """The weights of Table 4 for an encoder and a separator; None if the paper has none."""
    for profile in shipped_profiles():
        if (profile.encoder, profile.separator) == (encoder, stems):
            return profile.weights
    return None
