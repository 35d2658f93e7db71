"""Optional dependencies: whether they are installed, and the words when they are not."""

from __future__ import annotations

from importlib.util import find_spec

from soundalike.errors import InputError

EXTRAS: dict[str, tuple[str, ...]] = {
    "neural": ("torch", "transformers", "openvino", "demucs"),
    "report": ("matplotlib", "jinja2"),
    "s3": ("obstore",),
    "cluster": ("ray", "obstore"),
    "web": ("fastapi", "uvicorn"),
}
"""The modules that tell whether an extra is installed."""

ADVICE = {
    "neural": " (without an NVIDIA GPU install torch's CPU build first, which is far smaller: see the README)",
}


def require_extra(extra: str | None, who: str) -> None:
    """Raises InputError where `who` needs the optional dependencies `extra` and one of them is not installed."""
    missing = [name for name in EXTRAS.get(extra or "", ()) if find_spec(name) is None]
    if missing and extra is not None:
        raise InputError(
            f"{who} needs {', '.join(missing)}, which the core does without: pip install 'soundalike[{extra}]'"
            + ADVICE.get(extra, "")
        )
