"""Writing the files of a report."""

from __future__ import annotations

import os
from pathlib import Path

from soundalike.config import replacing, require_extra
from soundalike.errors import InputError
from soundalike.research.reproduce.report import Report, to_csv, to_json, to_markdown

NAMES = {"markdown": "report.md", "json": "report.json", "csv": "figures.csv", "html": "report.html"}


def check_output(folder: Path, *, html: bool) -> None:
    """Check before hours of work: raises InputError if `folder` cannot be used, or the HTML page needs an extra that is not
    installed."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; choose a folder for the report")
    if html:
        require_extra("report", "the HTML report")
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise InputError(f"the folder {folder} is not writable; choose another with --out")


def write_report(report: Report, folder: Path, *, html: bool) -> dict[str, Path]:
    """Write the report as Markdown, JSON, CSV and optionally one HTML page; returns paths by kind. Files are replaced
    atomically."""
    texts = {"markdown": to_markdown(report), "json": to_json(report), "csv": to_csv(report)}
    if html:
        from soundalike.research.reproduce.report_html import to_html

        texts["html"] = to_html(report)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {kind: folder / NAMES[kind] for kind in texts}
    for kind, text in texts.items():
        with replacing(paths[kind]) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return paths
