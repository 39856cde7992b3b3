"""A comparison as Markdown, JUnit XML and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final
from xml.etree import ElementTree

from loadtest.report.compare.comparing import ComparedRuns, Row
from loadtest.report.compare.words import HEADINGS, MEANINGS, because, difference, figure_of_run, sentence, verdict
from loadtest.report.escaping import as_markdown_code, for_markdown, for_xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A comparison and what is told beside it."""

    compared: ComparedRuns
    warnings: Sequence[str]


def markdown(told: Told) -> str:
    """A sentence, the warnings, and one table."""
    compared, namer = told.compared, told.compared.namer
    rows = [[namer.name(row.cell), *texts_of(row)] for row in compared.rows]
    lines = [f"| {' | '.join(map(for_markdown, row))} |" for row in (HEADINGS, ["---"] * len(HEADINGS), *rows)]
    one, other = (as_markdown_code(str(run.folder)) for run in (compared.one, compared.other))
    runs = f"A: {one} · B: {other}"
    warnings = [f"- {for_markdown(warning)}" for warning in told.warnings]
    parts = [
        f"**{for_markdown(sentence(compared))}**",
        runs,
        "\n".join(warnings),
        "\n".join(lines),
        "\n".join(f"- {m}" for m in MEANINGS),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def junit(told: Told) -> str:
    """One test case a cell and figure: a failure where the second run is worse beyond the noise.

    What is not decided is skipped, for nothing was shown of it. The schema is that of Jenkins' JUnit plugin.
    """
    compared, namer = told.compared, told.compared.namer
    name = f"{compared.other.folder} compared with {compared.one.folder}"
    failures, skipped = sum(row.is_worse for row in compared.rows), sum(map(_is_open, compared.rows))
    counts = {"tests": str(len(compared.rows)), "failures": str(failures), "skipped": str(skipped), "errors": "0"}
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", {"name": for_xml(name), **counts})
    for row in compared.rows:
        _add_case(suite, row, namer.name(row.cell))
    ElementTree.SubElement(suite, "system-out").text = for_xml("\n".join([sentence(compared), *told.warnings]))
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def as_json(told: Told) -> str:
    """Every number of it; one that is infinite or not known is null."""
    compared = told.compared
    content = {
        "one": str(compared.one.folder),
        "other": str(compared.other.folder),
        "says": sentence(compared),
        "warnings": list(told.warnings),
        "rows": [_row_json(row) for row in compared.rows],
        "only_in_one": [key.as_row() for key in compared.only_in_one],
        "only_in_other": [key.as_row() for key in compared.only_in_other],
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


FORMATS: Final[Mapping[str, Callable[[Told], str]]] = {"md": markdown, "junit": junit, "json": as_json}


def texts_of(row: Row) -> tuple[str, str, str, str, str]:
    """What is printed of a row, behind its cell."""
    one, other = figure_of_run(row, row.one), figure_of_run(row, row.other)
    return row.figure.heading, one, other, difference(row), verdict(row)


def _add_case(suite: ElementTree.Element, row: Row, cell: str) -> None:
    case = ElementTree.SubElement(suite, "testcase", {"classname": for_xml(cell), "name": for_xml(row.figure.name)})
    if row.is_worse:
        ElementTree.SubElement(case, "failure", {"message": for_xml(because(row))})
    elif _is_open(row):
        ElementTree.SubElement(case, "skipped", {"message": for_xml(because(row))})


def _is_open(row: Row) -> bool:
    return row.judged.verdict == "not decided"


def _row_json(row: Row) -> dict[str, Any]:
    found = row.judged.difference
    return {
        "cell": row.cell.as_row(),
        "figure": row.figure.name,
        "kind": row.figure.kind,
        "better": row.figure.better,
        "one": _known(row.one),
        "other": _known(row.other),
        "trials": list(row.trials),
        "difference": _known(found.estimate),
        "low": _known(found.low),
        "high": _known(found.high),
        "p": row.judged.p,
        "p_same": row.judged.p_same,
        "matters": row.judged.matters,
        "seeable": _known(row.judged.seeable),
        "noise_floor": row.floor,
        "verdict": row.judged.verdict,
        "beyond_noise": row.is_difference,
        "worse": row.is_worse,
    }


def _known(value: float) -> float | None:
    return value if isfinite(value) else None
