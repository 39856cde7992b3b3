"""How disconnects are printed."""

from loadtest.checks.disconnects import table
from loadtest.checks.disconnects.account import MISSED_OF, account_of
from loadtest.checks.disconnects.detection import QUANTILES
from loadtest.checks.disconnects.left import LEFT
from loadtest.checks.drops import DETECT_MS
from loadtest.dimensions import CONSUMER, DROP, LAYER
from loadtest.figures.cell import Cell
from loadtest.figures.evidence import Evidence
from loadtest.figures.printed import (
    Printed,
    PrintedColumn,
    Text,
    Tone,
    any_known,
    any_of,
    share_with_limits,
    slashed,
    toned,
    total,
)
from loadtest.figures.words import (
    NOT_APPLICABLE,
    UNKNOWN,
    number,
    percent,
    quantile,
    quantile_with_interval,
    short,
)


def _called(cell: Cell) -> Text:
    account = account_of(cell)
    return toned(f"{account.called:,}" if account.audited else UNKNOWN)


def _missed(cell: Cell) -> Text:
    account = account_of(cell)
    if not account.missed:
        return toned("0" if account.audited else UNKNOWN)
    return Text(text=f"{account.missed:,}", tone="warning")


def _exposure(cell: Cell) -> Text:
    if not cell.median(table.EXPOSURE).is_known:
        return toned(UNKNOWN if cell.median(table.EXPOSURE).applies else NOT_APPLICABLE)
    return Text(text=f"{percent(cell.interval(table.EXPOSURE).estimate)} %")


def _unaccounted(cell: Cell) -> Text:
    account = account_of(cell)
    tone: Tone = "unknown" if account.unknown else ""
    return Text(text=f"{account.unknown:,}", tone=tone) if account.trials else toned(UNKNOWN)


def _detection(cell: Cell) -> Text:
    """What is known of p50, p90 and p99, those that were missed included."""
    found = cell.quantiles(DETECT_MS, QUANTILES)
    last = next((place for place, one in enumerate(found) if one.is_beyond), len(found))  # so are all after it
    return Text(text=slashed([quantile(one, short) for one in found[: last + 1]])) if found[0].of else _no_times(cell)


def _median_detection(cell: Cell) -> Text:
    (median,) = cell.quantiles(DETECT_MS, (0.5,))
    return Text(text=quantile_with_interval(median)) if median.of else _no_times(cell)


def _no_times(cell: Cell) -> Text:
    account = account_of(cell)
    return toned(UNKNOWN if account.dropped and account.missed != account.dropped else NOT_APPLICABLE)


def _clock_error(cell: Cell) -> Text:
    error_ms = _largest_error_ms(cell)
    return toned(UNKNOWN) if error_ms is None else Text(text=number(round(error_ms, 2)))


def _largest_error_ms(cell: Cell) -> float | None:
    return cell.median(table.DETECT_ERROR_MS).high


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
_TOO_FEW = f"{NOT_APPLICABLE}: too few drops to tell"

_DROPPED = PrintedColumn(
    heading="dropped", meaning="connections the clients dropped, all trials", write=total(table.DROPPED)
)
_CALLED = PrintedColumn(heading="called", meaning="of those dropped, disconnect() was entered", write=_called)
_MISSED = PrintedColumn(heading="missed", meaning="of those dropped, disconnect() was never entered", write=_missed)
_SHARE = PrintedColumn(
    heading="missed share",
    meaning="missed, of those of which it is known, with its 95 % interval: rounds of trials are its clusters",
    write=share_with_limits(MISSED_OF, "warning"),
    keeps_limits=True,
    folds="late",
)
_EXPOSURE = PrintedColumn(
    heading="exposure",
    meaning="share of the open connections that would have missed theirs, sampled without any drop: what the missed "
    "share should be where chance decides",
    write=_exposure,
    only_if=any_known(table.EXPOSURE),
    in_brief=False,
)
_UNKNOWN = PrintedColumn(
    heading="unknown",
    meaning="of those dropped, it is not known; also all drops of trials that were not audited",
    write=_unaccounted,
)
_CALL_MS = PrintedColumn(
    heading="call ms",
    meaning="from the drop until disconnect() was entered: p50/p90/p99; those that were missed count as never, "
    f"> is longer than it was waited for, {_TOO_FEW}",
    write=_detection,
    folds="late",
)
_ERROR = PrintedColumn(
    heading="± ms",
    meaning="by how much a call time may be off either way, for it was told by the clock of another machine",
    write=_clock_error,
    only_if=lambda cells: any(map(_largest_error_ms, cells)),
)
_LEFT = PrintedColumn(
    heading="left",
    meaning=f"{_KINDS_LEFT} that dropped connections left behind",
    write=_left,
    folds="late",
    in_brief=False,
)

PRINTED = Printed(
    caption=f"Dropped connections, all trials summed. Call ms: p50/p90/p99 ({_TOO_FEW}).\nLeft: {_KINDS_LEFT}",
    brief=f"Dropped connections, all trials summed. Call ms: p50/p90/p99 ({_TOO_FEW})",
    always=(LAYER, CONSUMER),
    rows=Evidence.by_risk,
    columns=(_DROPPED, _MISSED, _SHARE, _EXPOSURE, _UNKNOWN, _CALL_MS, _ERROR, _LEFT),
)

BY_KIND = Printed(
    name="disconnects by kind",
    caption="Dropped connections by kind of drop, all trials summed",
    always=(LAYER, CONSUMER, DROP),
    in_terminal=False,
    columns=(
        _DROPPED,
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
        _CALLED,
        _MISSED,
        _SHARE,
        _UNKNOWN,
        PrintedColumn(
            heading="call ms, median",
            meaning="from the drop until disconnect() was entered, median with its 95 % interval; those that were "
            "missed count as never",
            write=_median_detection,
        ),
        _CALL_MS,
        _ERROR,
        PrintedColumn(
            heading="codes",
            meaning="codes disconnect() got and how often",
            write=_codes,
            is_number=False,
            folds="early",
        ),
        _LEFT,
    ),
)
