"""The table of checkpoints: one row per model, with its files, where they are published, and their licence.

Files are on the Hugging Face Hub, each at a pinned revision, or on PyPI, each a wheel of a pinned release. Sizes and digests
are copied from the sources that each file names; none was computed from a file that somebody happened to have. To add a
checkpoint, see `docs/models.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

from soundalike.errors import InputError

_SHA256_DIGITS = 64


@dataclass(frozen=True)
class CheckpointFile:
    """One file of a checkpoint.

    name: its file name on this machine; repository, revision: where the Hugging Face Hub has it, the revision a commit
    hash; size: bytes, None if unknown; sha256: hex digest from a citable source, or its first digits if no more is
    published, None if nothing is (a file that is not pinned completely is recorded when it is first seen, and must not
    change afterwards); source: where size and digest are published; published_as: its name in the repository if that is
    not `name`; alternative: a file that is accepted in its place, but not downloaded; wheel: whether it is a wheel on PyPI,
    where repository is the project and revision the release.
    """

    name: str
    repository: str
    revision: str
    size: int | None
    sha256: str | None
    source: str
    published_as: str = ""
    alternative: CheckpointFile | None = None
    wheel: bool = False

    @property
    def repository_name(self) -> str:
        """The file's name in its repository."""
        return self.published_as or self.name

    @property
    def url(self) -> str:
        """The address of the file on the Hugging Face Hub; for a wheel, that of the page from which it can be downloaded."""
        if self.wheel:
            return f"https://pypi.org/project/{self.repository}/{self.revision}/#files"
        return f"https://huggingface.co/{self.repository}/resolve/{self.revision}/{self.repository_name}"

    @property
    def pinned(self) -> bool:
        """Whether the table has the complete digest."""
        return self.sha256 is not None and len(self.sha256) == _SHA256_DIGITS

    @property
    def pin(self) -> str:
        """`pinned`, `pinned by N hex digits` or `unpinned`."""
        if self.sha256 is None:
            return "unpinned"
        return "pinned" if self.pinned else f"pinned by {len(self.sha256)} hex digits"


@dataclass(frozen=True)
class Checkpoint:
    """The files of one model, including its tokenizer, and its licence.

    terms: what a user must read before the first use, None if the licence imposes no conditions on a user.
    """

    name: str
    summary: str
    files: tuple[CheckpointFile, ...]
    licence: str
    non_commercial: bool
    homepage: str
    terms: str | None = None

    @property
    def size(self) -> int | None:
        """Bytes of all files, None if one size is unknown."""
        sizes = [file.size for file in self.files]
        return sum(size for size in sizes if size is not None) if None not in sizes else None

    @property
    def pin(self) -> str:
        """`pinned` if all files are, otherwise the weakest pin among them."""
        loose = [file for file in self.files if not file.pinned]
        return min(loose, key=lambda file: len(file.sha256 or "")).pin if loose else "pinned"


_LAION_CLAP = ("lukewys/laion_clap", "b3708341862f581175dba5c356a4ebf74a9b6651")
_MUQ_MULAN = ("OpenMuQ/MuQ-MuLan-large", "2e01c796b71dca71b45251384c04cd7b237c9020")
_MUQ = ("OpenMuQ/MuQ-large-msd-iter", "0562a57814f6f8bbd9fdea0a25921a2fce1a841a")
_MERT = ("m-a-p/MERT-v1-95M", "12af15fef9d0ac838c3f475bfbbf26d2060dd4f5")
_MERT_330M = ("m-a-p/MERT-v1-330M", "5240c2708a5acaee1007f43fb9735c7dcd0b78c9")
_HTDEMUCS = ("adefossez/HTDemucs", "bf35a81b663819a8255c8fefee17f9d812b786b5")
_HTDEMUCS_6S = ("adefossez/HTDemucs-6s", "3c5ee475be622df764938de97e4281a7b07ffa58")
_ROBERTA = ("FacebookAI/roberta-base", "e2da8e2f811d1448a5b465c236feacd80ffbac7b")
_XLM_ROBERTA = ("FacebookAI/xlm-roberta-base", "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089")

_DJ_TRACK_SIMILARITY = "github.com/MeteorBurn/dj-track-similarity src/dj_track_similarity/analysis_models.py"
_FLOWSET = "github.com/discolotus/flowset apps/api/scripts/download_semantic_models.py"

_ROBERTA_TOKENIZER = CheckpointFile(
    "tokenizer.json",
    *_ROBERTA,
    1_355_863,
    "847bbeab6174d66a88898f729d52fa8d355fafe1bea101cf960dd404581df70e",
    "Hugging Face gives 1.36 MB and no SHA-256 (not a large file); several public projects that use it with these weights "
    "pin this digest, as does an Arch package of the tokenizers library for roberta-large, which has the same file",
)

_XLM_ROBERTA_TOKENIZER = CheckpointFile(
    "tokenizer.json",
    *_XLM_ROBERTA,
    9_096_718,
    "a898ea75433890f6610f4e470b8ebeb0c21dce5c8dd61f892eb09eb5919d2e2c",
    "Hugging Face gives 9.1 MB and no SHA-256 (not a large file), but gives it for a copy "
    "(huggingface.co/pere/roberta-base-exp/blob/main/tokenizer.json); several public projects pin this digest",
)

_MERT_TERMS = (
    "The weights of MERT are licensed under CC-BY-NC 4.0: non-commercial use only, with attribution "
    "(huggingface.co/m-a-p/MERT-v1-95M)"
)
_MERT_SOURCE = "size, digest and revision: pinned by several public projects, among them " + _DJ_TRACK_SIMILARITY
_MERT_330M_SOURCE = "revision: pinned by a public project; neither size nor digest is published outside Hugging Face"

_DEMUCS_TERMS = (
    "The author publishes these files under MIT on Hugging Face (2026), but wrote earlier that the same weights 'are not "
    "covered by the MIT license, and are provided only for scientific purposes' (facebookresearch/demucs issue 327, 2022): "
    "ask the author before commercial use"
)
_DEMUCS_LICENCE = "MIT (see terms)"
_DEMUCS_CARD = "licence: the model card in github.com/adefossez/demucs tools/export_hf.py"

CHECKPOINTS: dict[str, Checkpoint] = {
    row.name: row
    for row in (
        Checkpoint(
            "clap",
            "LAION-CLAP 630k-audioset-best (HTSAT-tiny, RoBERTa-base)",
            (
                CheckpointFile(
                    "630k-audioset-best.pt",
                    *_LAION_CLAP,
                    1_863_587_645,
                    "8053c9775516af2f4902e1e8281e356cc1bf7a85e8b761908170767b77c3f037",
                    "SHA-256: huggingface.co/lukewys/laion_clap/blob/main/630k-audioset-best.pt; size and revision: "
                    + _FLOWSET,
                ),
                _ROBERTA_TOKENIZER,
            ),
            "CC0-1.0",
            non_commercial=False,
            homepage="https://huggingface.co/lukewys/laion_clap",
        ),
        Checkpoint(
            "clap-music",
            "LAION-CLAP music_audioset_epoch_15_esc_90.14 (HTSAT-base, RoBERTa-base)",
            (
                CheckpointFile(
                    "music_audioset_epoch_15_esc_90.14.pt",
                    *_LAION_CLAP,
                    2_352_471_003,
                    "fae3e9c087f2909c28a09dc31c8dfcdacbc42ba44c70e972b58c1bd1caf6dedd",
                    "SHA-256: the copy at huggingface.co/spaces/MasalaDosa1337/RGMC/blob/"
                    "866a4318332297ed3db9a06a2f798f947e701f20/checkpoints/music_audioset_epoch_15_esc_90.14.pt; size, "
                    "digest and revision: pinned by several public projects",
                ),
                _ROBERTA_TOKENIZER,
            ),
            "CC0-1.0",
            non_commercial=False,
            homepage="https://huggingface.co/lukewys/laion_clap",
        ),
        Checkpoint(
            "muq-mulan",
            "MuQ-MuLan-large (335 M audio tower, XLM-RoBERTa-base)",
            (
                CheckpointFile(
                    "config.json",
                    *_MUQ_MULAN,
                    847,
                    "8fefc545ef87ecd9bcde7417dd03464370c48c321f36dcff20266a752079e468",
                    _FLOWSET,
                ),
                CheckpointFile(
                    "pytorch_model.bin",
                    *_MUQ_MULAN,
                    2_653_954_401,
                    "d42ae3f7cb9b66759ee0089ddc70e2f28b130c2d8ba621457358272d32dd0444",
                    "SHA-256: huggingface.co/OpenMuQ/MuQ-MuLan-large/blob/main/pytorch_model.bin; size and revision: "
                    + _FLOWSET,
                    alternative=CheckpointFile(
                        "model.safetensors",
                        "OpenMuQ/MuQ-MuLan-large",
                        "57b8af8e903a6fa28b6ba1d7a1578b4d68fcc918",
                        None,
                        "5fe234bbc5f183a9f4275fb292f54a30cb3a8ce75f82f1a43410ee6044d71d59",
                        _DJ_TRACK_SIMILARITY,
                    ),
                ),
                CheckpointFile(
                    "muq-config.json",
                    *_MUQ,
                    3_133,
                    "237335ee27d8fb951ce778701a12a79e06c51ae636dd786f97e45f51ce532543",
                    _FLOWSET,
                    published_as="config.json",
                ),
                CheckpointFile(
                    "xlm-roberta-config.json",
                    *_XLM_ROBERTA,
                    615,
                    "d66ed8cd4f2a93b358c245e50736fa389ed4f35c0bae7aad0b32abb20c62b579",
                    _FLOWSET,
                    published_as="config.json",
                ),
                _XLM_ROBERTA_TOKENIZER,
            ),
            "CC-BY-NC-4.0",
            non_commercial=True,
            homepage="https://huggingface.co/OpenMuQ/MuQ-MuLan-large",
            terms="The weights of MuQ-MuLan are licensed under CC-BY-NC 4.0: non-commercial use only, with attribution "
            "(github.com/tencent-ailab/MuQ, LICENSE_weights)",
        ),
        Checkpoint(
            "mert",
            "MERT-v1-95M",
            (
                CheckpointFile(
                    "config.json",
                    *_MERT,
                    1_817,
                    "ea2627c4c7825cd66f3c944b6b966331604c35928174e0100cd4a82829424e32",
                    _MERT_SOURCE,
                ),
                CheckpointFile(
                    "pytorch_model.bin",
                    *_MERT,
                    377_552_987,
                    "a2b8b747f72c06e0595aeae41ae5473f4364938c6b39b2c58be38c48e6bd3fcd",
                    _MERT_SOURCE,
                ),
            ),
            "CC-BY-NC-4.0",
            non_commercial=True,
            homepage="https://huggingface.co/m-a-p/MERT-v1-95M",
            terms=_MERT_TERMS,
        ),
        Checkpoint(
            "mert-330m",
            "MERT-v1-330M",
            (
                CheckpointFile("config.json", *_MERT_330M, None, None, _MERT_330M_SOURCE),
                CheckpointFile("pytorch_model.bin", *_MERT_330M, None, None, _MERT_330M_SOURCE),
            ),
            "CC-BY-NC-4.0",
            non_commercial=True,
            homepage="https://huggingface.co/m-a-p/MERT-v1-330M",
            terms=_MERT_TERMS,
        ),
        Checkpoint(
            "aisfx",
            "aiSFX X-Sequential-CE (CNN, 4.7 M parameters)",
            (
                CheckpointFile(
                    "aisfx-0.1.2-py2.py3-none-any.whl",
                    "aisfx",
                    "0.1.2",
                    23_140_952,
                    "bfe219950715af179e9a1653e7117cc1852baef267cd6596c42cad74afe1d194",
                    "size and SHA-256: pypi.org/project/aisfx/0.1.2/#files",
                    wheel=True,
                ),
            ),
            "CC-BY-4.0",
            non_commercial=False,
            homepage="https://github.com/alisonbma/aisfx",
            terms="The weights of aiSFX are licensed under CC-BY 4.0: name A. B. Ma and A. Lerch (ISMIR 2022) where you publish "
            "what is made from them (the code of the package is MIT, and is not used)",
        ),
        Checkpoint(
            "htdemucs",
            "Hybrid Transformer Demucs, four stems",
            (
                CheckpointFile(
                    "955717e8.safetensors",
                    *_HTDEMUCS,
                    84_025_440,
                    "d9fa14133cfcc034a6758923bb3a8ca9f8dfd0b582134643bbf83f72c17576dd",
                    "size, digest and revision: pinned by several public projects that use demucs 4.1; " + _DEMUCS_CARD,
                ),
            ),
            _DEMUCS_LICENCE,
            non_commercial=False,
            homepage="https://huggingface.co/adefossez/HTDemucs",
            terms=_DEMUCS_TERMS,
        ),
        Checkpoint(
            "htdemucs_6s",
            "Hybrid Transformer Demucs, six stems",
            (
                CheckpointFile(
                    "5c90dfd2.safetensors",
                    *_HTDEMUCS_6S,
                    54_885_744,
                    "d2a1745f0744721f6b8ca5bf469b67c651ea5ed1b52998cab033b2158609d411",
                    "size, digest and revision: pinned by several public projects that use demucs 4.1; " + _DEMUCS_CARD,
                ),
            ),
            _DEMUCS_LICENCE,
            non_commercial=False,
            homepage="https://huggingface.co/adefossez/HTDemucs-6s",
            terms=_DEMUCS_TERMS,
        ),
    )
}


def checkpoint(name: str) -> Checkpoint:
    """The row called `name`. Raises InputError if there is none."""
    if name not in CHECKPOINTS:
        raise InputError(
            f"unknown checkpoint {name!r}; choose one of {', '.join(CHECKPOINTS)} (see `soundalike models`)"
        )
    return CHECKPOINTS[name]


def notice(name: str) -> str | None:
    """One line on the licence of the checkpoint `name` that a user must read before using it, None if there is nothing to
    know. Raises InputError if there is no such checkpoint."""
    return checkpoint(name).terms


def format_size(size: int | None) -> str:
    """`1.86 GB`, `84 MB`, `847 B`; `size unknown` for None."""
    if size is None:
        return "size unknown"
    for unit, scale, digits in (("GB", 1e9, 2), ("MB", 1e6, 0), ("kB", 1e3, 0)):
        if size >= scale:
            return f"{size / scale:.{digits}f} {unit}"
    return f"{size} B"
