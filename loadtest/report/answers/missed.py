"""Who misses disconnects: which consumer, at which load, on which layer and server, and how sure that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from loadtest.checks.disconnects.account import MISSED_OF, account_of_all
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.dimensions import CONSUMER, LAYER, LOAD, SCENARIO, SERVER
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.finding import Severity
from loadtest.figures.share import share_in
from loadtest.figures.words import counted, listed, percent, share_with_interval
from loadtest.report.answers.answer import Answer
from loadtest.report.answers.setting import setting_of
from loadtest.report.comparisons import Comparison
from loadtest.report.questions import MISSING
from loadtest.report.summary import Summary
from loadtest.stats.share import Share


def missed_answer(summary: Summary) -> Answer | None:
    """Of the setting in which most were missed; None where nothing was dropped."""
    evidence = summary.evidence
    account = account_of_all(evidence.having(DISCONNECTS))
    if not account.dropped:
        return None
    known = [cell for cell in evidence.having(DISCONNECTS) if share_in([cell], MISSED_OF).of]
    at_risk = evidence.at_risk(known) or known
    if not known:
        drops = counted(account.dropped, "connection")
        return _answer(f"The clients dropped {drops}; what became of them is not known: {_why(summary)}.", "unknown")
    compared = [one for one in summary.comparisons if one.asked.metric is MISSING]
    if not any(share_in([cell], MISSED_OF).events for cell in at_risk):
        return _answer(_none(share_in(at_risk, MISSED_OF)), "good")
    claim, worst = _of_two(max(compared, key=_most), evidence) if compared else _alone(at_risk, evidence)
    return _answer(f"{claim}{worst}", "warning", short=claim)


def _answer(text: str, severity: Severity, short: str = "") -> Answer:
    return Answer(
        asks="Missed disconnects",
        text=text,
        short=short,
        anchor="resilience",
        evidence="each kind of drop",
        severity=severity,
    )


def _why(summary: Summary) -> str:
    """The most frequent reason why figures of disconnects are not known."""
    of_disconnects = (figure.why for figure in summary.unknown if figure.column.startswith(f"{DISCONNECTS.name}."))
    reasons = Counter(of_disconnects).most_common(1)
    return reasons[0][0].rstrip(".") if reasons else "no reason was recorded"


def _most(comparison: Comparison) -> float:
    return max(share_in(side, MISSED_OF).interval.estimate for side in comparison.asked.sides())


def _none(share: Share) -> str:
    most = percent(share.interval.high)
    return f"Each of {share.of:,} dropped connections had disconnect() called; at most {most} % may be missed (95 %)."


def _alone(cells: Sequence[Cell], evidence: Evidence) -> tuple[str, str]:
    """Of consumers that are not compared the one that missed most, and where that was."""
    groups: dict[object, list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.key[CONSUMER], cell.key[SCENARIO], cell.key[LOAD]), []).append(cell)
    worst = max(groups.values(), key=lambda group: share_in(group, MISSED_OF).interval.estimate)
    key, share = worst[0].key, share_with_interval(share_in(worst, MISSED_OF))
    claim = f"{setting_of(key)} {key.say(CONSUMER)} missed {share} of the disconnects, {_where(worst)}."
    return claim, _worst_place(worst, evidence)


def _of_two(comparison: Comparison, evidence: Evidence) -> tuple[str, str]:
    """Both shares, the larger first, with what was decided; and where that was."""
    asked = comparison.asked
    sides = sorted(
        zip((asked.one, asked.other), asked.sides(), strict=True),
        key=lambda side: -share_in(side[1], MISSED_OF).interval.estimate,
    )
    (more, most_cells), (less, least_cells) = sides
    first, second = (share_with_interval(share_in(cells, MISSED_OF)) for cells in (most_cells, least_cells))
    claim = f"{setting_of(asked.key)} {more} missed {first} of the disconnects and {less} {second}"
    return f"{claim}: {_verdict(comparison, more)}, {_where(asked.cells)}.", _worst_place(most_cells, evidence)


def _verdict(comparison: Comparison, more: str) -> str:
    match comparison.verdicts.whole:
        case "higher" | "lower":
            return f"{more} missed more"
        case "same":
            return f"they differ by less than {percent(MISSING.matters)} points"
        case _:
            return "not decided whether they differ"


def _where(cells: Sequence[Cell]) -> str:
    """`on uvicorn with the layers inmemory and redis (3 rounds)`."""
    servers = dict.fromkeys(cell.key.say(SERVER) for cell in cells)
    layers = dict.fromkeys(cell.key.say(LAYER) for cell in cells)
    noun = "layer" if len(layers) == 1 else "layers"
    return f"on {listed(list(servers))} with the {noun} {listed(list(layers))} ({_rounds(cells)})"


def _worst_place(cells: Sequence[Cell], evidence: Evidence) -> str:
    """Where most were missed, if there is more than one place."""
    places: dict[str, list[Cell]] = {}
    for cell in cells:
        places.setdefault(evidence.namer.place(cell.key), []).append(cell)
    if len(places) < 2:
        return ""
    worst = max(places, key=lambda place: share_in(places[place], MISSED_OF).interval.estimate)
    name = cells[0].key.say(CONSUMER)
    return f" Most: {name} on {worst}, {share_with_interval(share_in(places[worst], MISSED_OF))}."


def _rounds(cells: Sequence[Cell]) -> str:
    return counted(len({trial.round for cell in cells for trial in cell.valid_trials}), "round")
