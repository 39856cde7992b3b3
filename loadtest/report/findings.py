"""What was found, in plain words, each sentence with its figures and how sure it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from loadtest.report.cells import CPU_PER_1000, Cell
from loadtest.report.manifest import CellKey, Manifest, TroubledTrial
from loadtest.report.statistics import Figure, Total, difference
from loadtest.report.words import Namer, counted, listed, number, share, time_ms, with_range

Severity = Literal["good", "note", "warning", "unknown"]
Topic = Literal["run", "disconnects", "left behind", "delivery", "throughput", "latency", "cost", "detection", "codes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sentence or two, with the cells and the "table.column" figures it rests on."""

    severity: Severity
    topic: Topic
    text: str
    cells: tuple[CellKey, ...] = ()
    figures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metric:
    """A figure by which consumers are compared, and the words for it."""

    figure: str
    topic: Topic
    higher_is_better: bool
    what: str  # "messages a second"
    verb: str  # "{winner} ... {ratio} times ... {loser}"
    write: Callable[[float], str]


_COMPARED = (
    _Metric(
        figure="throughput.messages_per_s",
        topic="throughput",
        higher_is_better=True,
        what="messages a second",
        verb="{winner} carried {ratio} times as many messages a second as {loser}",
        write=number,
    ),
    _Metric(
        figure="throughput.latency_ms_p99",
        topic="latency",
        higher_is_better=False,
        what="the time within which 99 of 100 messages came",
        verb="99 of 100 messages came {ratio} times as fast with {winner} as with {loser}",
        write=time_ms,
    ),
    _Metric(
        figure=CPU_PER_1000,
        topic="cost",
        higher_is_better=False,
        what="the server's CPU time for 1,000 messages",
        verb="1,000 messages cost the server {ratio} times as much CPU with {loser} as with {winner}",
        write=time_ms,
    ),
)

_DROP_COUNTS = ("disconnects.dropped", "disconnects.disconnect_called", "disconnects.missed", "disconnects.unknown")

_LEFT_BEHIND = {
    "disconnects.groups_left": "a group membership (messages to the room still go to them)",
    "disconnects.tasks_left": "a running consumer task",
    "disconnects.presence_left": "a presence row (the database still shows them as online)",
}

_SEVERITY_ORDER: dict[Severity, int] = {"warning": 0, "unknown": 2, "note": 1, "good": 1}
"""What went wrong comes first; after it what was measured, by topic; last what could not be found out."""


def find(cells: Sequence[Cell], manifest: Manifest) -> tuple[Finding, ...]:
    """All findings, the most important first; says nothing of what is not in the cells or the manifest."""
    namer = Namer(cell.key for cell in cells)
    dropped = [cell for cell in cells if cell.has("disconnects")]
    found = [
        *_all_drops(dropped),
        *_missed(dropped, namer),
        *_left_behind(dropped, namer),
        *_delivery([cell for cell in cells if cell.has("delivery")], namer),
        *_residue([cell for cell in cells if cell.has("residue")], namer),
        *_troubled(manifest, namer),
        *_comparisons(cells, namer),
        *_detection(dropped, namer),
        *_codes(dropped),
        *_guards(dropped, namer),
        *_unaccounted(dropped, namer),
    ]
    headline, rest = found[: bool(dropped)], found[bool(dropped) :]
    return (*headline, *sorted(rest, key=lambda finding: _SEVERITY_ORDER[finding.severity]))


def _all_drops(dropped: Sequence[Cell]) -> Iterator[Finding]:
    """The headline: every drop of the run, accounted for."""
    if not dropped:
        return
    counts = [_sum(cell.total(name) for cell in dropped) for name in _DROP_COUNTS]
    whole, called, missed, unknown = (count.total for count in counts)
    if whole is None or called is None or missed is None or unknown is None:
        severity: Severity = "unknown"
        text = "What became of the dropped connections is not known: no trial could be read to its end."
    else:
        severity = "warning" if missed else "unknown" if unknown else "good"
        text = (
            f"The clients dropped {counted(whole, 'connection')} on purpose: {called:,} had disconnect() called, "
            f"{missed:,} never had ({share(missed, whole)}), of {unknown:,} it cannot be said."
        )
        text += _not_all_known(counts[2])
    yield Finding(
        severity=severity,
        topic="disconnects",
        text=text,
        cells=tuple(cell.key for cell in dropped),
        figures=_DROP_COUNTS,
    )


def _not_all_known(total: Total) -> str:
    missing = total.trials - total.known
    return f" This leaves out {missing} of {total.trials} results that are not known." if missing else ""


def _missed(dropped: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    """A sentence for each cell that missed some, worst share first; one for all those that missed none."""
    known = [cell for cell in dropped if cell.total("disconnects.missed").total is not None]
    bad = [cell for cell in known if cell.total("disconnects.missed").total]
    for cell in sorted(bad, key=_missed_share, reverse=True):
        yield _missed_some(cell, namer)
    clean = [cell for cell in known if cell not in bad and _fully_known(cell) and cell.total(_DROP_COUNTS[0]).total]
    for _, group in groupby(sorted(clean, key=_by_consumer), key=_by_consumer):
        yield _missed_none(list(group), namer)


def _missed_share(cell: Cell) -> float:
    missed, whole = cell.total("disconnects.missed").total or 0, cell.total("disconnects.dropped").total or 0
    return missed / whole if whole else 0.0


def _missed_some(cell: Cell, namer: Namer) -> Finding:
    missed, whole = cell.total("disconnects.missed"), cell.total("disconnects.dropped")
    count, dropped = missed.total or 0, whole.total or 0
    each = cell.median("disconnects.missed")
    return Finding(
        severity="warning",
        topic="disconnects",
        text=(
            f"{namer.name(cell.key)}: {count:,} of {counted(dropped, 'dropped connection')} "
            f"({share(count, dropped)}) never had disconnect() called: what it would clean up "
            f"was not cleaned up by it. {_per_trial(each)}{_not_all_known(missed)}"
        ),
        cells=(cell.key,),
        figures=("disconnects.dropped", "disconnects.missed"),
    )


def _per_trial(each: Figure) -> str:
    if each.known < 2 or each.low is None or each.high is None:
        return "One trial only."
    if each.low == each.high:
        return f"{number(each.low)} in each of {each.known} trials."
    return f"Between {number(each.low)} and {number(each.high)} in each of {each.known} trials."


def _missed_none(cells: Sequence[Cell], namer: Namer) -> Finding:
    whole = sum(cell.total("disconnects.dropped").total or 0 for cell in cells)
    trials = [cell.median("disconnects.dropped").known for cell in cells]
    first = cells[0].key
    return Finding(
        severity="good",
        topic="disconnects",
        text=(
            f"{namer.place(first)}, {first.consumer}: all {whole:,} dropped connections had disconnect() called "
            f"after {listed([cell.key.drop for cell in cells])} ({_trials_each(trials)})."
        ),
        cells=tuple(cell.key for cell in cells),
        figures=("disconnects.dropped", "disconnects.missed"),
    )


def _fully_known(cell: Cell) -> bool:
    """Nothing of this cell's drops is unknown: not a count in any trial, and no connection."""
    totals = [cell.total(name) for name in _DROP_COUNTS]
    return all(total.known == total.trials for total in totals) and not cell.total("disconnects.unknown").total


def _left_behind(dropped: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    for cell in dropped:
        whole = cell.total("disconnects.dropped").total or 0
        left = {name: cell.total(name).total or 0 for name in _LEFT_BEHIND}
        parts = [f"{count:,} left {_LEFT_BEHIND[name]}" for name, count in left.items() if count]
        if parts:
            most = max((cell.median(name) for name in left if left[name]), key=lambda figure: figure.high or 0)
            text = f"{namer.name(cell.key)}: of {counted(whole, 'dropped connection')} {listed(parts)} behind."
            text += f" {_at_most(most)}"
            yield Finding(
                severity="warning",
                topic="left behind",
                text=text,
                cells=(cell.key,),
                figures=("disconnects.dropped", *(name for name, count in left.items() if count)),
            )


def _at_most(each: Figure) -> str:
    return "One trial only." if each.known < 2 else f"At most {number(each.high or 0)} in one of {each.known} trials."


def _delivery(cells: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    clean = []
    for cell in cells:
        total = {name: cell.total(f"delivery.{name}") for name in ("expected", "lost", "duplicated", "reordered")}
        unknown = cell.total("delivery.unknown")
        wrong = [f"{total[name].total:,} {name}" for name in ("lost", "duplicated", "reordered") if total[name].total]
        if wrong:
            yield _delivered_wrong(cell, wrong, namer)
        elif all(t.total is not None and t.known == t.trials for t in (*total.values(), unknown)) and not unknown.total:
            clean.append(cell)
        if unknown.total or any(t.known < t.trials for t in total.values()):
            yield _delivery_unknown(cell, namer)
    whole = sum(cell.total("delivery.expected").total or 0 for cell in clean)
    if clean and whole:
        names = listed([f"{namer.name(cell.key)}" for cell in clean]) if len(clean) < len(cells) else "every cell"
        yield Finding(
            severity="good",
            topic="delivery",
            text=(
                f"All {whole:,} messages meant for members who stayed connected arrived once and in order in {names} "
                f"({_trials_each([cell.median('delivery.lost').known for cell in clean])})."
            ),
            cells=tuple(cell.key for cell in clean),
            figures=("delivery.expected", "delivery.lost", "delivery.duplicated", "delivery.reordered"),
        )


def _delivered_wrong(cell: Cell, wrong: Sequence[str], namer: Namer) -> Finding:
    whole, lost = cell.total("delivery.expected").total, cell.total("delivery.lost").total or 0
    of = f"of {whole:,} messages meant for members who stayed connected" if whole is not None else "of its messages"
    rate = f" (lost: {share(lost, whole)})" if whole and lost else ""
    each = cell.median("delivery.lost")
    sure = f" Lost in one trial: {with_range(each)}, {_sure(each)}." if lost else ""
    return Finding(
        severity="warning" if lost or cell.total("delivery.duplicated").total else "note",
        topic="delivery",
        text=f"{namer.name(cell.key)}: {of}, {listed(wrong)}{rate}.{sure}",
        cells=(cell.key,),
        figures=("delivery.expected", "delivery.lost", "delivery.duplicated", "delivery.reordered"),
    )


def _delivery_unknown(cell: Cell, namer: Namer) -> Finding:
    total = cell.total("delivery.lost")
    count = cell.total("delivery.unknown").total or 0
    parts = [f"of {counted(count, 'message')} it cannot be said whether they arrived"] if count else []
    if total.known < total.trials:
        parts.append(f"{total.trials - total.known} of {counted(total.trials, 'trial')} could not be checked for losses")
    if not parts:
        parts = ["not every count of its deliveries is known"]
    return Finding(
        severity="unknown",
        topic="delivery",
        text=f"{namer.name(cell.key)}: {listed(parts)}.",
        cells=(cell.key,),
        figures=("delivery.unknown", "delivery.lost"),
    )


def _residue(cells: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    clean: list[Cell] = []
    for cell in cells:
        names = [name for name in cell.medians if name.startswith("residue.left.")]
        figures = [(name, cell.median(name)) for name in names]
        left = [(name, figure) for name, figure in figures if figure.high and figure.high > 0]
        for name, figure in left:
            yield _residue_left(cell, name, figure, namer)
        if not left and figures and all(figure.known == figure.trials for _, figure in figures):
            clean.append(cell)
    if clean:
        names_of_clean = "every cell" if len(clean) == len(cells) else listed([namer.name(c.key) for c in clean])
        yield Finding(
            severity="good",
            topic="left behind",
            text=f"After the load had gone, nothing that was counted was left behind in {names_of_clean}.",
            cells=tuple(cell.key for cell in clean),
            figures=("residue.left",),
        )


def _residue_left(cell: Cell, name: str, figure: Figure, namer: Namer) -> Finding:
    kind = name.removeprefix("residue.left.")
    example = next((value for value in cell.values(f"residue.example.{kind}") if value), None)
    text = f"{namer.name(cell.key)}: after the load had gone, {with_range(figure)} more {kind} than before"
    text += f" ({_sure(figure)})" + (f", for example {example}." if example else ".")
    return Finding(
        severity="warning" if figure.median else "note",
        topic="left behind",
        text=text,
        cells=(cell.key,),
        figures=(name,),
    )


def _troubled(manifest: Manifest, namer: Namer) -> Iterator[Finding]:
    if manifest.state != "finished":
        word = "was interrupted" if manifest.state == "interrupted" else "is still going on"
        yield Finding(
            severity="note",
            topic="run",
            text=f"The run {word}: {manifest.done} of {counted(manifest.planned, 'trial')} were done.",
        )
    yield from _troubled_trials(manifest.failed, "failed and gave no figures", namer)
    yield from _troubled_trials(manifest.invalid, "is not valid and left out of throughput and latency", namer)


def _troubled_trials(trials: Sequence[TroubledTrial], what: str, namer: Namer) -> Iterator[Finding]:
    for trial in trials:
        yield Finding(
            severity="warning",
            topic="run",
            text=f"{namer.name(trial.cell)}: trial {trial.trial} {what}: {trial.why.rstrip('.')}.",
            cells=(trial.cell,),
        )


def _comparisons(cells: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    """The consumers of each layer and scenario against the best of them, one metric after the other."""
    measured = sorted((cell for cell in cells if cell.has("throughput")), key=_but_consumer)
    for metric in _COMPARED:
        for _, group in groupby(measured, key=_but_consumer):
            yield from _compared(list(group), metric, namer)


def _but_consumer(cell: Cell) -> tuple[object, ...]:
    key = cell.key
    return key.scenario, key.drop, key.server, key.workers, key.layer


def _compared(cells: Sequence[Cell], metric: _Metric, namer: Namer) -> Iterator[Finding]:
    known = [cell for cell in cells if cell.median(metric.figure).is_known]
    ranked = sorted(known, key=lambda c: c.median(metric.figure).median or 0.0, reverse=metric.higher_is_better)
    for cell in cells:
        if cell not in known and cell.median(metric.figure).applies:
            yield _not_known(cell, metric, namer)
    for other in ranked[1:]:
        yield _pair(ranked[0], other, metric, namer)


def _not_known(cell: Cell, metric: _Metric, namer: Namer) -> Finding:
    why = "all its trials are not valid" if cell.median(metric.figure).left_out else "it was not measured"
    return Finding(
        severity="unknown",
        topic=metric.topic,
        text=f"{namer.name(cell.key)}: {metric.what} not known; {why}.",
        cells=(cell.key,),
        figures=(metric.figure,),
    )


def _pair(best: Cell, other: Cell, metric: _Metric, namer: Namer) -> Finding:
    one, two = best.median(metric.figure), other.median(metric.figure)
    names = {"winner": best.key.consumer, "loser": other.key.consumer}
    both = f"{_written(one, names['winner'], metric)}, {_written(two, names['loser'], metric)}"
    finding = Finding(
        severity="note",
        topic=metric.topic,
        text="",
        cells=(best.key, other.key),
        figures=(metric.figure,),
    )
    place = _place(best.key, namer)
    match difference(one, two):
        case "higher" | "lower":
            claim = metric.verb.format(**names, ratio=_ratio(one, two))
            return replace(finding, text=f"{place}: {claim} ({both}; the ranges do not overlap).")
        case "same":
            claim = f"{names['winner']} and {names['loser']} differ by less than 2 % in {metric.what}"
            return replace(finding, text=f"{place}: {claim} ({both}).")
        case "one trial":
            claim = f"{metric.what}: {both}"
            return replace(finding, text=f"{place}: {claim}. With one trial of a side nobody can say how sure this is.")
        case _:
            claim = f"no clear difference between {names['winner']} and {names['loser']} in {metric.what}"
            return replace(finding, text=f"{place}: {claim} ({both}; the ranges overlap).")


def _place(key: CellKey, namer: Namer) -> str:
    drop = {"none": "", "mixed": " (mixed drops)"}.get(key.drop, f" ({key.drop})")
    return f"{key.scenario.capitalize()}{drop} on {namer.place(key)}"


def _ratio(one: Figure, two: Figure) -> str:
    low, high = sorted([one.median or 0.0, two.median or 0.0])
    ratio = high / low if low else float("inf")
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}" if ratio >= 1.1 else f"{ratio:.2f}"


def _written(figure: Figure, consumer: str, metric: _Metric) -> str:
    assert figure.median is not None and figure.low is not None and figure.high is not None
    if figure.known == 1:
        return f"{consumer} {metric.write(figure.median)}, one trial"
    between = f"{metric.write(figure.low)} to {metric.write(figure.high)}"
    return f"{consumer} {metric.write(figure.median)}, {_sure(figure)} from {between}"


def _sure(figure: Figure) -> str:
    if figure.known == 1:
        return "one trial"
    whole = figure.trials + figure.left_out
    of = f" of {whole}" if whole > figure.known else ""
    return f"median of {figure.known}{of} trials"


def _detection(dropped: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    """How fast disconnect() was entered: a sentence for each layer and consumer."""
    known = [cell for cell in dropped if cell.median("disconnects.detect_ms_p50").is_known]
    for _, group in groupby(sorted(known, key=_by_consumer), key=_by_consumer):
        yield _detected(list(group), namer)


def _by_consumer(cell: Cell) -> tuple[object, ...]:
    key = cell.key
    return key.server, key.workers, key.layer, "async" in key.consumer, key.consumer, key.scenario


def _detected(cells: Sequence[Cell], namer: Namer) -> Finding:
    key = cells[0].key
    ordered = sorted(cells, key=lambda cell: cell.median("disconnects.detect_ms_p50").median or 0.0)
    each = [f"{time_ms(c.median('disconnects.detect_ms_p50').median or 0.0)} after {c.key.drop}" for c in ordered]
    slowest = [(cell.median("disconnects.detect_ms_max").high, cell.key.drop) for cell in cells]
    worst = max(((high, drop) for high, drop in slowest if high is not None), default=None)
    text = f"{namer.place(key)}, {key.consumer}: half of the drops reached disconnect() within {listed(each)}"
    text += f"; the slowest of all took {time_ms(worst[0])} ({worst[1]})" if worst else ""
    trials = [cell.median("disconnects.detect_ms_p50").known for cell in cells]
    return Finding(
        severity="note",
        topic="detection",
        text=f"{text} ({_trials_each(trials, 'medians of ')}).",
        cells=tuple(cell.key for cell in cells),
        figures=("disconnects.detect_ms_p50", "disconnects.detect_ms_max"),
    )


def _trials_each(trials: Sequence[int], of: str = "") -> str:
    low, high = min(trials), max(trials)
    if low == high:
        return f"{of}{counted(low, 'trial')}" if low > 1 else "one trial only"
    return f"{of}{low} to {high} trials"


def _codes(dropped: Sequence[Cell]) -> Iterator[Finding]:
    """The codes disconnect() got after each kind of drop, over all layers and consumers of a server."""
    ordered = sorted(dropped, key=lambda cell: (cell.key.server, cell.key.drop))
    for (server, drop), group in groupby(ordered, key=lambda cell: (cell.key.server, cell.key.drop)):
        cells = list(group)
        codes = _codes_seen(cells)
        if codes:
            each = [f"{code} ({counted(count, 'time')})" for code, count in codes.most_common()]
            yield Finding(
                severity="note",
                topic="codes",
                text=f"On {server}, disconnect() got the code {listed(each)} after {drop}.",
                cells=tuple(cell.key for cell in cells),
                figures=("disconnects.codes",),
            )


def _codes_seen(cells: Sequence[Cell]) -> Counter[str]:
    seen: Counter[str] = Counter()
    for cell in cells:
        seen.update(codes_of(cell))
    return seen


def codes_of(cell: Cell) -> Counter[str]:
    """How often disconnect() got each code over all trials of the cell."""
    seen: Counter[str] = Counter()
    for value in cell.values("disconnects.codes"):
        for pair in str(value or "").split():
            code, _, count = pair.partition(":")
            seen[code] += int(count) if count.isdigit() else 1
    return seen


def _guards(dropped: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    """What the guard buys: connections that left something behind, with it and without."""
    by_key = {cell.key: cell for cell in dropped}
    for cell in dropped:
        bare = by_key.get(replace(cell.key, consumer=cell.key.consumer.removesuffix("-guarded")))
        if not cell.key.consumer.endswith("-guarded") or bare is None:
            continue
        with_guard, without = _leavers(cell), _leavers(bare)
        if with_guard is not None and without is not None and (with_guard[0] or without[0]):
            yield Finding(
                severity="note",
                topic="left behind",
                text=(
                    f"{namer.name(bare.key)}: without the guard {without[0]:,} of {without[1]:,} dropped connections "
                    f"left a group membership behind, with it {with_guard[0]:,} of {with_guard[1]:,}."
                ),
                cells=(bare.key, cell.key),
                figures=("disconnects.groups_left",),
            )


def _leavers(cell: Cell) -> tuple[int, int] | None:
    left, whole = cell.total("disconnects.groups_left").total, cell.total("disconnects.dropped").total
    return None if left is None or whole is None else (left, whole)


def _unaccounted(dropped: Sequence[Cell], namer: Namer) -> Iterator[Finding]:
    for cell in dropped:
        unknown, missed = cell.total("disconnects.unknown"), cell.total("disconnects.missed")
        whole = cell.total("disconnects.dropped").total or 0
        parts = []
        if unknown.total:
            parts.append(
                f"of {unknown.total:,} of {counted(whole, 'dropped connection')} it cannot be said whether "
                "disconnect() was called"
            )
        if missed.known < missed.trials:
            parts.append(f"the drops of {missed.trials - missed.known} of {counted(missed.trials, 'trial')} not audited")
        if parts:
            yield Finding(
                severity="unknown",
                topic="disconnects",
                text=f"{namer.name(cell.key)}: {listed(parts)}.",
                cells=(cell.key,),
                figures=("disconnects.unknown", "disconnects.missed"),
            )


def _sum(totals: Iterable[Total]) -> Total:
    totals = list(totals)
    known = [total.total for total in totals if total.total is not None]
    return Total(
        total=sum(known) if known else None,
        known=sum(total.known for total in totals),
        trials=sum(total.trials for total in totals),
    )
