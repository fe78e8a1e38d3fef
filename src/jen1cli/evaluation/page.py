"""Writes a report as JSON and as one HTML page of tables, plots, players and spectrograms."""

import json
from pathlib import Path
from typing import Any

from jen1cli import audio
from jen1cli.errors import AudioError
from jen1cli.evaluation.plots import plot
from jen1cli.evaluation.report import Report, ReportClip, shown
from jen1cli.files import encoded, make_folder, writing_together
from jen1cli.pages.html import data_uri, render, sound_uri
from jen1cli.pages.spectrogram import spectrogram, spectrogram_png

SAMPLE_SECONDS = 12.0


def write_report(folder: Path, report: Report) -> tuple[Path, Path]:
    """Write `report.json` and `report.html` into a folder, both or none; return their paths."""
    make_folder(folder)
    facts, page = folder / "report.json", folder / "report.html"
    text = json.dumps(report.facts(), indent=1, ensure_ascii=False, allow_nan=False)
    with writing_together(page, facts) as (page_file, facts_file):
        facts_file.write_bytes(encoded(text + "\n"))
        page_file.write_bytes(encoded(render_page(report)))
    return facts, page


def render_page(report: Report) -> str:
    """Return a report as an HTML page."""
    settings = (
        f"{key} {' '.join(value) if isinstance(value, tuple) else value}"
        for key, value in report.settings.items()
        if value not in ({}, None)
    )
    players = [player for sample in report.samples if (player := _player(sample))]
    return render(
        "report.html",
        title=f"jen1 evaluate {report.kind}",
        settings=", ".join(settings),
        listeners=", ".join(f"{name} {text[:12]}" for name, text in report.judges.items()),
        warnings=report.warnings,
        tables=[
            {
                "title": table.title,
                "plot": plot(table),
                "columns": table.columns,
                "rows": [[shown(cell, table.unit) for cell in row] for row in table.rows],
                "note": table.note,
            }
            for table in report.tables
        ],
        audits=[audit for audit in report.audits if audit["problems"]],
        players=players,
    )


def _player(sample: ReportClip) -> dict[str, Any] | None:
    """Return the template values of a sample; None if its file cannot be read."""
    try:
        info = audio.probe(sample.path)
        rate = info.sample_rate
        signal = audio.read(sample.path, 0, min(info.samples, round(SAMPLE_SECONDS * rate)))
    except AudioError:
        return None
    shares = [mark * rate / max(1, signal.shape[1]) for mark in sample.marks]
    return {
        "title": sample.title,
        "image": data_uri(spectrogram_png(spectrogram(signal, rate)), "image/png"),
        "sound": sound_uri(signal, rate),
        "marks": [share for share in shares if share < 1],
        "remarks": sample.remarks,
    }
