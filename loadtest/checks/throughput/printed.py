"""How throughput is printed."""

from loadtest.checks.throughput import table
from loadtest.checks.throughput.overload import overloaded
from loadtest.figures.cell import Cell
from loadtest.figures.printed import (
    Printed,
    PrintedColumn,
    Text,
    any_known,
    any_of,
    total,
    typical,
    with_limits,
)


def _trials(cell: Cell) -> Text:
    valid = len(cell.valid_trials)
    is_short = valid < len(cell.trials)
    return Text(text=f"{valid} of {len(cell.trials)}" if is_short else f"{valid}", tone="warning" if is_short else "")


def _overloaded(cell: Cell) -> Text:
    said = overloaded(cell)
    return Text(text=said, tone="warning" if said else "")


PRINTED = Printed(
    caption="Throughput and latency; in brackets the 95 % interval that the rounds of trials allow",
    brief="Throughput and latency; in brackets 95 % intervals",
    columns=(
        PrintedColumn(
            heading="messages/s",
            meaning="received a second, with its 95 % interval",
            write=with_limits(table.MESSAGES_PER_S),
        ),
        PrintedColumn(
            heading="overloaded",
            meaning="trials in which the server was asked for more than it could do; its queue grew, or it threw away",
            write=_overloaded,
            only_if=lambda cells: any(map(overloaded, cells)),
        ),
        PrintedColumn(heading="p50 ms", meaning="median latency", write=typical(table.LATENCY_MS_P50)),
        PrintedColumn(
            heading="p99 ms",
            meaning="latency within which 99 of 100 messages came, with its 95 % interval; more than n ms where too "
            "many never came",
            write=with_limits(table.LATENCY_MS_P99),
            keeps_limits=True,
        ),
        PrintedColumn(
            heading="CPU ms/1k",
            meaning="CPU time of the server for 1,000 messages received, with its 95 % interval",
            write=with_limits(table.CPU_PER_1000),
        ),
        PrintedColumn(
            heading="broker ms/1k",
            meaning="CPU time of the broker for 1,000 messages received",
            write=typical(table.BROKER_CPU_PER_1000),
            only_if=any_known(table.BROKER_CPU_PER_1000),
            in_brief=False,
        ),
        PrintedColumn(
            heading="not opened",
            meaning="connections that could not be opened, all trials",
            write=total(table.OPEN_FAILED, "warning"),
            only_if=any_of(table.OPEN_FAILED),
        ),
        PrintedColumn(
            heading="trials",
            meaning="trials that count, of those measured; the others are not valid",
            write=_trials,
            in_brief=False,
        ),
    ),
)
