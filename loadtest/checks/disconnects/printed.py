"""How disconnects are printed."""

from loadtest.checks.disconnects import table
from loadtest.checks.disconnects.account import account_of
from loadtest.checks.disconnects.left import LEFT
from loadtest.dimensions import CONSUMER, DROP, LAYER
from loadtest.figures.cell import Cell
from loadtest.figures.printed import Printed, PrintedColumn, Text, Tone, any_of, slashed, toned, total
from loadtest.figures.words import NOT_APPLICABLE, UNKNOWN, share, short


def _called(cell: Cell) -> Text:
    account = account_of(cell)
    return toned(f"{account.called:,}" if account.audited else UNKNOWN)


def _missed(cell: Cell) -> Text:
    account = account_of(cell)
    if not account.missed:
        return toned("0" if account.audited else UNKNOWN)
    of_all = share(account.missed, account.dropped).replace(" %", "%")  # or a narrow terminal tears it apart
    return Text(text=f"{account.missed:,} ({of_all})", tone="warning")


def _unaccounted(cell: Cell) -> Text:
    account = account_of(cell)
    tone: Tone = "unknown" if account.unknown else ""
    return Text(text=f"{account.unknown:,}", tone=tone) if account.trials else toned(UNKNOWN)


def _detection(cell: Cell) -> Text:
    """Medians of the trials, but the slowest of all of them."""
    p50, p99, slowest = (
        cell.median(column) for column in (table.DETECT_MS_P50, table.DETECT_MS_P99, table.DETECT_MS_MAX)
    )
    if not p50.applies:
        return Text(text=NOT_APPLICABLE)
    parts = [UNKNOWN if value is None else short(value) for value in (p50.median, p99.median, slowest.high)]
    return toned(UNKNOWN) if set(parts) == {UNKNOWN} else Text(text=slashed(parts))


def _codes(cell: Cell) -> Text:
    if not any(table.CODES in trial for trial in cell.trials):
        return Text(text=NOT_APPLICABLE)
    return toned(" ".join(f"{code}:{count}" for code, count in cell.counts(table.CODES).most_common()) or UNKNOWN)


def _left(cell: Cell) -> Text:
    totals = [cell.total(column) for column in LEFT]
    if all(total.total is None for total in totals):
        return toned(UNKNOWN)
    parts = [UNKNOWN if total.total is None else f"{total.total:,}" for total in totals]
    return Text(text=slashed(parts), tone="warning" if any(total.total for total in totals) else "")


_KINDS_LEFT = "/".join(kind.heading for kind in LEFT.values())

PRINTED = Printed(
    caption=f"Dropped connections, all trials summed. Call ms: p50/p99/max. Left: {_KINDS_LEFT}",
    always=(LAYER, CONSUMER, DROP),
    columns=(
        PrintedColumn(
            heading="dropped", meaning="connections the clients dropped, all trials", write=total(table.DROPPED)
        ),
        PrintedColumn(
            heading="no app",
            meaning="more that died inside the HTTP upgrade: no application ran",
            write=total(table.NEVER_REACHED),
            folds="late",
            only_if=any_of(table.NEVER_REACHED),
        ),
        PrintedColumn(
            heading="noticed",
            meaning="of those dropped, the server handed the application a disconnect",
            write=total(table.NOTICED),
        ),
        PrintedColumn(heading="called", meaning="of those dropped, disconnect() was entered", write=_called),
        PrintedColumn(
            heading="missed", meaning="of those dropped, disconnect() was never entered", write=_missed, folds="late"
        ),
        PrintedColumn(
            heading="unknown",
            meaning="of those dropped, it is not known; also all drops of trials that were not audited",
            write=_unaccounted,
        ),
        PrintedColumn(
            heading="call ms",
            meaning="from the drop until disconnect() was entered: p50/p99/slowest",
            write=_detection,
            folds="late",
        ),
        PrintedColumn(
            heading="codes",
            meaning="codes disconnect() got and how often",
            write=_codes,
            is_number=False,
            folds="early",
        ),
        PrintedColumn(
            heading="left",
            meaning=f"{_KINDS_LEFT} that dropped connections left behind",
            write=_left,
            folds="late",
        ),
    ),
)
