"""The tables a reader sees, as text cells with footnotes: the same in the terminal and in the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from loadtest.report.accounts import account_of, account_of_all
from loadtest.report.cells import CPU_PER_1000, Cell, by_consumer
from loadtest.report.columns import TABLES
from loadtest.report.findings.detection import codes_of
from loadtest.report.manifest import CellKey
from loadtest.report.residue import LEFT, left_of
from loadtest.report.statistics import Total
from loadtest.report.summary import Summary, UnknownFigure
from loadtest.report.words import NOT_APPLICABLE, UNKNOWN, Namer, counted, plain, share, short, with_range

Tone = Literal["", "good", "warning", "unknown"]

LONGEST_UNFOLDED = 13
"""Figures with slashes between them, "1,056/1,911/4", fit a terminal's table up to this length."""

SHOWN_REASONS = 6
"""Reasons listed under a table; the rest is counted. All are in the page and in unknown.csv."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The head of a printed column."""

    text: str
    meaning: str
    is_number: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One printed cell."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedTable:
    """A table ready to print; `notes` say why each `?` stands there."""

    name: str
    caption: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Text, ...], ...]
    notes: tuple[str, ...]


_Write = Callable[[Cell], Text]

_NEVER_REACHED = "disconnects.never_reached"


def printed_tables(summary: Summary) -> tuple[PrintedTable, ...]:
    """Throughput, disconnects, delivery and residue; those without a row are left out."""
    tables = (_throughput(summary), _disconnects(summary), _delivery(summary), _residue(summary))
    return tuple(table for table in tables if table.rows)


def _throughput(summary: Summary) -> PrintedTable:
    columns: list[tuple[Heading, _Write]] = [
        (_head("messages/s", "received a second: median of the trials (lowest to highest)"), _ranged("messages_per_s")),
        (_head("p50 ms", "half of the messages came at most this late"), _plain("throughput.latency_ms_p50")),
        (_head("p99 ms", "99 of 100 messages came at most this late"), _plain("throughput.latency_ms_p99")),
        (_head("CPU ms/1k", "CPU time of the server for 1,000 messages received"), _plain(CPU_PER_1000)),
        (_head("trials", "trials that count, of those measured; the others are not valid and left out"), _trials),
    ]
    return _table(
        "throughput",
        "Throughput and latency: medians of the trials, in brackets the lowest and the highest trial",
        [cell for cell in summary.cells if cell.has("throughput")],
        columns,
        summary,
    )


def _disconnects(summary: Summary) -> PrintedTable:
    columns: list[tuple[Heading, _Write]] = [
        (_head("dropped", "connections the clients dropped, all trials"), _count("disconnects.dropped")),
        (_head("called", "of these, disconnect() was entered"), _called),
        (_head("missed", "of these, disconnect() was never entered"), _missed),
        (_head("unknown", "of these, it is not known; also all drops of trials that were not audited"), _unaccounted),
        (
            _head("noticed ms", "from the drop to disconnect(): half of them / 99 of 100 / the slowest"),
            _detection,
        ),
        (_head("codes", "codes disconnect() got and how often", is_number=False), _codes),
        (_head("left", "groups / queues / tasks / presence rows that dropped connections left behind"), _left),
    ]
    if any(cell.total(_NEVER_REACHED).total for cell in summary.cells):
        columns.insert(
            1, (_head("no app", "more that died inside the HTTP upgrade: no application ran"), _count(_NEVER_REACHED))
        )
    return _table(
        "disconnects",
        "Dropped connections, all trials summed. Noticed: p50/p99/max. Left behind: groups/queues/tasks/presence",
        [cell for cell in summary.cells if cell.has("disconnects")],
        columns,
        summary,
    )


def _delivery(summary: Summary) -> PrintedTable:
    columns: list[tuple[Heading, _Write]] = [
        (_head("expected", "meant for a member connected throughout"), _count("delivery.expected")),
        (_head("delivered", "of these, received"), _count("delivery.delivered")),
        (_head("lost", "of these, never received"), _count("delivery.lost", "warning")),
        (_head("unknown", "of these, it cannot be said"), _count("delivery.unknown", "unknown")),
        (_head("twice", "received more than once"), _count("delivery.duplicated", "warning")),
        (_head("reordered", "received after a later one of the same sender"), _count("delivery.reordered", "warning")),
        (_head("offline", "sent while the member was offline: not expected, not lost"), _count("delivery.offline")),
    ]
    return _table(
        "delivery",
        "Messages and the members they were meant for, all trials summed",
        [cell for cell in summary.cells if cell.has("delivery")],
        columns,
        summary,
    )


def _residue(summary: Summary) -> PrintedTable:
    kinds = dict.fromkeys(
        name.removeprefix("residue.left.")
        for cell in summary.cells
        for name in cell.medians
        if name.startswith("residue.left.")
    )
    columns = [(_head(kind, f"{kind} left behind: median of the trials"), _residue_left(kind)) for kind in kinds]
    return _table(
        "residue",
        "What was left behind after the load had gone: medians of the trials, in brackets the range",
        [cell for cell in summary.cells if cell.has("residue")],
        columns,
        summary,
    )


def left_of_1000(summary: Summary) -> PrintedTable:
    """What dropped connections left behind, of 1,000 drops over all kinds of drop: a row a layer and consumer."""
    dropped = list(by_consumer(cell for cell in summary.cells if cell.has("disconnects")))
    namer = Namer(cell.key for cell in summary.cells)
    has_scenarios = len({cells[0].key.scenario for cells in dropped}) > 1
    keys = ["layer", "consumer", *(["scenario"] if has_scenarios else [])]
    return PrintedTable(
        name="left of 1,000 drops",
        caption="Of 1,000 dropped connections, all kinds and trials summed; in brackets how many it were",
        headings=(
            *(_head(name, f"the {name}", is_number=False) for name in keys),
            _head("dropped", "connections the clients dropped, all kinds and trials"),
            *(_head(kind.heading, f"dropped connections {kind.meaning}") for kind in LEFT.values()),
        ),
        rows=tuple(
            (*_names(cells[0].key, namer)[: len(keys)], *_left_row(cells))
            for cells in dropped
            if account_of_all(cells).dropped
        ),
        notes=(),
    )


def _names(key: CellKey, namer: Namer) -> list[Text]:
    return [Text(text=name) for name in (namer.place(key), key.consumer, key.scenario)]


def _left_row(cells: Sequence[Cell]) -> list[Text]:
    return [Text(text=f"{account_of_all(cells).dropped:,}"), *(_of_1000(cells, name) for name in LEFT)]


def _of_1000(cells: Sequence[Cell], name: str) -> Text:
    left = left_of(cells, name)
    if left is None:
        return _toned(UNKNOWN)
    if not left.count:
        return Text(text="0")
    return Text(text=f"{left.of_1000} ({left.count:,})", tone="warning")


def _head(text: str, meaning: str, *, is_number: bool = True) -> Heading:
    return Heading(text=text, meaning=meaning, is_number=is_number)


def _table(
    name: str, caption: str, cells: Sequence[Cell], columns: Sequence[tuple[Heading, _Write]], summary: Summary
) -> PrintedTable:
    keys = _key_columns(cells, name)
    written = [*keys, *columns]
    rows = tuple(tuple(write(cell) for _, write in written) for cell in cells)
    has_unknown = any(UNKNOWN in text.text or text.tone == "unknown" for row in rows for text in row)
    return PrintedTable(
        name=name,
        caption=caption,
        headings=tuple(heading for heading, _ in written),
        rows=rows,
        notes=(*(_reasons(name, cells, summary) if has_unknown else ()), *_invalid_note(name, cells)),
    )


def _key_columns(cells: Sequence[Cell], table: str) -> list[tuple[Heading, _Write]]:
    """What tells the cells apart: server, workers and scenario or drop only where they differ."""
    always = {"throughput": ("layer", "consumer", "scenario"), "disconnects": ("layer", "consumer", "drop")}
    names = ("server", "workers", "layer", "consumer", "scenario", "drop")
    shown = [
        name
        for name in names
        if name in always.get(table, ("layer", "consumer", "scenario"))
        or len({getattr(cell.key, name) for cell in cells}) > 1
    ]
    if "scenario" in shown and "drop" in shown and table != "disconnects" and not _drop_tells_apart(cells):
        shown.remove("drop")
    return [(_head(name, f"the {name}", is_number=False), _key(name)) for name in shown]


def _drop_tells_apart(cells: Sequence[Cell]) -> bool:
    """Whether one scenario has rows of several drops; else the scenario says it already."""
    return len({(c.key.scenario, c.key.drop) for c in cells}) > len({c.key.scenario for c in cells})


def _key(name: str) -> _Write:
    return lambda cell: Text(text=str(getattr(cell.key, name)))


def _ranged(column: str) -> _Write:
    return lambda cell: _toned(with_range(cell.median(f"throughput.{column}")))


def _plain(name: str) -> _Write:
    return lambda cell: _toned(plain(cell.median(name)))


def _toned(text: str, tone: Tone = "") -> Text:
    return Text(text=text, tone="unknown" if text == UNKNOWN else tone)


def _trials(cell: Cell) -> Text:
    valid = sum(trial.valid for trial in cell.trials)
    is_short = valid < len(cell.trials)
    return Text(text=f"{valid} of {len(cell.trials)}" if is_short else f"{valid}", tone="warning" if is_short else "")


def _count(name: str, tone_if_any: Tone = "") -> _Write:
    return lambda cell: _toned(_total(cell.total(name)), tone_if_any if cell.total(name).total else "")


def _total(total: Total) -> str:
    """The sum; `12+?` where some trial's count is not known."""
    if total.trials == 0:
        return NOT_APPLICABLE
    if total.total is None:
        return UNKNOWN
    return f"{total.total:,}" + ("+?" if total.known < total.trials else "")


def _called(cell: Cell) -> Text:
    account = account_of(cell)
    return _toned(f"{account.called:,}" if account.audited else UNKNOWN)


def _missed(cell: Cell) -> Text:
    account = account_of(cell)
    if not account.missed:
        return _toned("0" if account.audited else UNKNOWN)
    of_all = share(account.missed, account.dropped).replace(" %", "%")  # or a narrow terminal tears it apart
    return Text(text=f"{account.missed:,} ({of_all})", tone="warning")


def _unaccounted(cell: Cell) -> Text:
    account = account_of(cell)
    return Text(text=f"{account.unknown:,}", tone="unknown" if account.unknown else "")


def _detection(cell: Cell) -> Text:
    """Medians of the trials, but the slowest of all of them."""
    p50, p99, slowest = (cell.median(f"disconnects.detect_ms_{name}") for name in ("p50", "p99", "max"))
    if not p50.applies:
        return Text(text=NOT_APPLICABLE)
    parts = [UNKNOWN if value is None else short(value) for value in (p50.median, p99.median, slowest.high)]
    return _toned(UNKNOWN) if set(parts) == {UNKNOWN} else Text(text=_slashed(parts))


def _slashed(parts: Sequence[str]) -> str:
    """`93/131/171`; a long one has a blank in its middle, where a narrow terminal may fold it."""
    text, middle = "/".join(parts), len(parts) // 2
    return text if len(text) <= LONGEST_UNFOLDED else f"{'/'.join(parts[:middle])}/ {'/'.join(parts[middle:])}"


def _codes(cell: Cell) -> Text:
    if not cell.values("disconnects.codes"):
        return Text(text=NOT_APPLICABLE)
    seen = codes_of(cell)
    return _toned(" ".join(f"{code}:{count}" for code, count in seen.most_common()) or UNKNOWN)


def _left(cell: Cell) -> Text:
    totals = [cell.total(name) for name in LEFT]
    if all(total.total is None for total in totals):
        return _toned(UNKNOWN)
    parts = [UNKNOWN if total.total is None else f"{total.total:,}" for total in totals]
    return Text(text=_slashed(parts), tone="warning" if any(total.total for total in totals) else "")


def _residue_left(kind: str) -> _Write:
    def write(cell: Cell) -> Text:
        figure = cell.median(f"residue.left.{kind}")
        return _toned(with_range(figure), "warning" if figure.median else "")

    return write


def _reasons(table: str, cells: Iterable[Cell], summary: Summary) -> tuple[str, ...]:
    """Why numbers of these cells are not known, the most frequent reason first."""
    keys = {cell.key for cell in cells}
    namer = Namer(cell.key for cell in summary.cells)
    reasons = Counter(
        (figure.why, _where(figure, namer)) for figure in summary.unknown if _concerns(figure, table, keys)
    )
    grouped: dict[str, list[str]] = {}
    for why, where in reasons:
        grouped.setdefault(why, []).append(where)
    notes = [f"{UNKNOWN} {why.rstrip('.')}: {_some(places)}." for why, places in grouped.items()]
    if len(notes) > SHOWN_REASONS:
        notes = [*notes[:SHOWN_REASONS], f"and {counted(len(notes) - SHOWN_REASONS, 'more reason')} in unknown.csv."]
    return tuple(notes) or (f"{UNKNOWN} not known; no reason was recorded in unknown.csv.",)


def _invalid_note(table: str, cells: Iterable[Cell]) -> list[str]:
    if table == "throughput" and any(not trial.valid for cell in cells for trial in cell.trials):
        return ["Trials that are not valid (the generator or the machine was the limit) are left out."]
    return []


def _concerns(figure: UnknownFigure, table: str, keys: set[CellKey]) -> bool:
    own = {column.name for column in TABLES[table].figures}
    return figure.cell in keys and figure.column.removeprefix(f"{table}.").split(".")[0] in own


def _where(figure: UnknownFigure, namer: Namer) -> str:
    return f"{namer.name(figure.cell)}, trial {figure.trial}"


def _some(places: Sequence[str]) -> str:
    return places[0] if len(places) == 1 else f"{places[0]} and {len(places) - 1} more"
