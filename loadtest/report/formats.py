"""A run as Markdown, JSON and JUnit XML, for the page and the test results of a CI job, and for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from xml.etree import ElementTree

from loadtest.figures.threshold import Threshold
from loadtest.figures.words import counted
from loadtest.report.answers import answers_of
from loadtest.report.escaping import as_markdown_code, for_markdown, for_xml
from loadtest.report.summary import Summary
from loadtest.report.summary_json import summary_text
from loadtest.report.thresholds import Judged, judge

MOST_FINDINGS: Final = 12
"""A page of a job is read in a minute; report.html has the others."""
_HEADINGS: Final = ("", "threshold", "cell", "figure")
_RUN: Final = "the run"


def markdown(summary: Summary, thresholds: Sequence[Threshold]) -> str:
    """What was measured, the thresholds in a table, the answers, and the findings that weigh most."""
    manifest, judged = summary.manifest, _judged(summary, thresholds)
    trials = f"{manifest.done} of {counted(manifest.planned, 'trial')} done"
    broken = [one for one in judged if _is_broken(one)]
    outcome = f"{len(broken)} of {len(judged)} broken" if broken else f"all {len(judged)} kept"
    thresholds_say = f"Thresholds: {outcome}." if judged else "No threshold was given."
    rows = [_HEADINGS, ["---"] * len(_HEADINGS), *(_row(one, summary) for one in judged)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows) if judged else ""
    answers = "\n".join(f"- {one.asks}: {for_markdown(one.text)}" for one in answers_of(summary))
    found = "\n".join(f"- **{one.severity}**: {for_markdown(one.text)}" for one in summary.findings[:MOST_FINDINGS])
    parts = [
        f"## channels-loadtest: {for_markdown(manifest.name)}",
        f"**{thresholds_say}** {trials}.",
        for_markdown(_trouble(summary)),
        table,
        answers,
        found and f"### Also found\n\n{found}",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def junit(summary: Summary, thresholds: Sequence[Threshold]) -> str:
    """A test case for the run, which fails where trials did, and one for each threshold and cell.

    The schema is that of Jenkins' JUnit plugin.
    """
    cases = [("measured", _RUN, _trouble(summary))]
    for one in _judged(summary, thresholds):
        cases.append((one.threshold.text, _cell(one, summary), one.says if _is_broken(one) else ""))
    failures = sum(bool(why) for _, _, why in cases)
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0"}
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", {"name": for_xml(summary.manifest.name), **counts})
    for name, cell, why in cases:
        case = ElementTree.SubElement(suite, "testcase", {"classname": for_xml(cell), "name": for_xml(name)})
        if why:
            ElementTree.SubElement(case, "failure", {"message": for_xml(why)})
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def as_json(summary: Summary, thresholds: Sequence[Threshold]) -> str:
    """What summary.json has, whatever the thresholds."""
    return summary_text(summary)


FORMATS: Final[Mapping[str, Callable[[Summary, Sequence[Threshold]], str]]] = {
    "md": markdown,
    "json": as_json,
    "junit": junit,
}


def _judged(summary: Summary, thresholds: Sequence[Threshold]) -> list[Judged]:
    return judge(summary.evidence.cells, summary.evidence.values, thresholds)


def _is_broken(one: Judged) -> bool:
    """A figure that is not known cannot be said to keep a threshold."""
    return one.value is None or one.threshold.holds_for(one.value)


def _row(one: Judged, summary: Summary) -> tuple[str, ...]:
    """A line of the table, as Markdown."""
    outcome, said = "broken" if _is_broken(one) else "kept", (_cell(one, summary), one.says)
    return outcome, as_markdown_code(one.threshold.text), *map(for_markdown, said)


def _cell(one: Judged, summary: Summary) -> str:
    return summary.evidence.namer.name(one.cell) if one.cell else _RUN


def _trouble(summary: Summary) -> str:
    """Say which trials have no figures that count; "" where all have."""
    manifest = summary.manifest
    troubled = [*manifest.failed, *manifest.invalid]
    told = "; ".join(dict.fromkeys(one.why for one in troubled))
    missing = manifest.planned - manifest.done - len(manifest.failed)
    counts = {"failed": len(manifest.failed), "not valid": len(manifest.invalid), "not run": missing}
    said = ", ".join(f"{counted(count, 'trial')} {what}" for what, count in counts.items() if count > 0)
    return f"{said}: {told}" if told else said
