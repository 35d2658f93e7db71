"""Writes a report's files into a folder."""

from __future__ import annotations

import os
from pathlib import Path

from soundalike.config import require_extra
from soundalike.errors import InputError
from soundalike.research.reproduce.report import Report, to_csv, to_json, to_markdown

NAMES = {"markdown": "report.md", "json": "report.json", "csv": "figures.csv", "html": "report.html"}


def check_output(folder: Path, *, html: bool) -> None:
    """What is to be known before hours of work: raises InputError where `folder` cannot be a folder, or where the HTML page
    needs what is not installed."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; name a folder for the report")
    if html:
        require_extra("report", "the HTML report")
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise InputError(f"the folder {folder} cannot be written; name another by --out")


def write_report(report: Report, folder: Path, *, html: bool) -> dict[str, Path]:
    """The report as Markdown, JSON, CSV and, if asked for, one HTML page: their paths by kind. Each file appears whole."""
    texts = {"markdown": to_markdown(report), "json": to_json(report), "csv": to_csv(report)}
    if html:
        from soundalike.research.reproduce.report_html import to_html

        texts["html"] = to_html(report)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {kind: folder / NAMES[kind] for kind in texts}
    for kind, text in texts.items():
        part = paths[kind].with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(paths[kind])
    return paths
