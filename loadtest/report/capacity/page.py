"""report.html of a capacity run: one file that works offline, made from the run's folder alone."""

from __future__ import annotations

from pathlib import Path

from loadtest.figures.words import Namer
from loadtest.report.capacity.answers import CapacityAnswers
from loadtest.report.capacity.printed import table_of
from loadtest.report.capacity.words import interrupted_note, lead_of, scaling_sentences, sentences
from loadtest.report.charts.capacity import capacity_charts, capacity_palette
from loadtest.report.csv_files import write_text
from loadtest.report.page import ChartSection, Tile, template
from loadtest.report.vega import vega_bundle


def write_page(folder: Path, answers: CapacityAnswers) -> None:
    """Write report.html; ReportError where that fails."""
    write_text(folder / "report.html", render(answers))


def render(answers: CapacityAnswers) -> str:
    """Return the page as text."""
    palette = capacity_palette(answers)
    return template("capacity.html.j2").render(
        manifest=answers.manifest,
        tiles=_tiles(answers),
        lead=lead_of(answers),
        sentences=sentences(answers),
        interrupted=interrupted_note(answers),
        scalings=scaling_sentences(answers),
        table=table_of(answers),
        curves=ChartSection(
            id="curves",
            link="Curves",
            title="The curves",
            text="Each point is a step: filled where it kept the service level, hollow where it broke it. A triangle: "
            "more than 1 % never came, shown at the time for which that was waited. The line is what the consumer "
            "carries, the band its 95 % interval; the broken line is the limit of p99, where the level has one.",
            charts=capacity_charts(answers),
            legend=palette if len(palette) > 1 else {},
            wide=True,
        ),
        troubled=_troubled(answers),
        vega=vega_bundle(),
    )


def _tiles(answers: CapacityAnswers) -> list[Tile]:
    found = sum(cell.interval is not None for cell in answers.cells)
    whole = found == len(answers.cells) and answers.manifest.state == "finished"
    steps = [step for cell in answers.cells for step in cell.steps]
    bad = sum(not step.is_valid for step in steps)
    return [
        Tile(value=f"{found} of {len(answers.cells)}", label="cells have an answer", tone="" if whole else "warning"),
        Tile(value=f"{answers.manifest.done} of {answers.manifest.planned}", label="searches done", tone=""),
        Tile(value=f"{len(steps):,}", label="steps", tone=""),
        Tile(value=f"{bad:,}", label="steps not valid", tone="warning" if bad else "good"),
    ]


def _troubled(answers: CapacityAnswers) -> list[str]:
    namer = Namer(cell.cell for cell in answers.cells)
    return [
        f"{namer.name(step.cell)}, step {step.number}: {step.outcome}: {step.why}"
        for cell in answers.cells
        for step in cell.steps
        if not step.is_valid
    ]
