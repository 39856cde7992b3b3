"""What a capacity run says, in sentences: the answer first, then what gave way, then the knee."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Final

from loadtest.dimensions import WORKERS
from loadtest.figures.words import (
    Namer,
    counted,
    in_brackets,
    listed,
    number,
    percent,
    time_ms,
    why_no_limits,
    with_interval,
)
from loadtest.report.capacity.answers import Asked, CapacityAnswers, CellCapacity, GaveWay, WorkerScaling
from loadtest.stats.interval import Interval

OVERLOADED: Final = "not overloaded"
"""The part of every service level that nobody has to name."""

_SEARCHES: Final = ("search", "searches")
_PARTS: Final = {
    "event loop": "the event loop",
    "sync thread": "the thread that sync consumers share",
    "broker": "the broker",
    "CPUs": "the CPUs of the server",
}


def level_of(asked: Asked) -> str:
    """Return the service level: `latency_ms_p99 < 100, lost == 0 and not overloaded`."""
    return listed([*asked.keep, OVERLOADED])


def lead_of(answers: CapacityAnswers) -> str:
    """Return what was asked, in a sentence."""
    raised = "messages a second from each sender" if answers.asked.of == "rate" else "connections"
    searches = counted(answers.asked.searches, "search", "searches")
    return f"The most {raised} that keep {level_of(answers.asked)}: {searches} in each cell."


def sentences(answers: CapacityAnswers) -> list[str]:
    """Return what was found of each cell, in their order."""
    namer = Namer(cell.cell for cell in answers.cells)
    return [" ".join(_of_cell(cell, namer, answers.asked)) for cell in answers.cells]


def scaling_sentences(answers: CapacityAnswers) -> list[str]:
    """Return how capacity grows with workers, for each group of cells that differ by them alone."""
    namer = Namer(cell.cell for cell in answers.cells)
    return [_of_scaling(scaling, namer) for scaling in answers.scalings]


def written(cell: CellCapacity) -> str:
    """Return what a cell carries for a table: `6.1 (5.6–6.7)`, `6.1 (1 search)`, `at least 12`, `below 0.5`, `?`."""
    if cell.interval is not None:
        return with_interval(cell.interval) if cell.interval.has_limits else _alone(cell.interval)
    return "?" if cell.bound is None else f"{cell.kind} {number(cell.bound)}"


def gave_way_written(gave: GaveWay | None) -> str:
    """Return it for a table: `sync thread, 97 %`; in brackets what was busiest where nothing was busy all the time."""
    if gave is None or not gave.busiest:
        return "?"
    busiest = f"{gave.busiest}, {percent(gave.share)} %"
    return busiest if gave.is_busy else f"level ({busiest})"


def _of_cell(cell: CellCapacity, namer: Namer, asked: Asked) -> Iterator[str]:
    name = namer.name(cell.cell)
    if cell.interval is not None:
        yield f"{name}: carries {_amount(cell.interval.estimate, cell)}{_limits(cell.interval)}{_in_all(cell)}."
        if len(cell.singles) < asked.searches:
            yield f"{len(cell.singles)} of {counted(asked.searches, 'search', 'searches')} found it."
        yield from _of_what_gave_way(cell.gave_way)
    elif cell.kind == "at least" and cell.bound is not None:
        yield f"{name}: carries at least {_amount(cell.bound, cell)}. More cannot be measured here: {cell.why}."
    elif cell.kind == "below" and cell.bound is not None:
        yield f"{name}: does not carry {_amount(cell.bound, cell)}: {cell.why}."
        yield from _of_what_gave_way(cell.gave_way)
    else:
        yield f"{name}: not known, for {cell.why}."
    if cell.knee is not None:
        at = f", where p99 is {time_ms(cell.knee.time)}" if isfinite(cell.knee.time) else ""
        about = "at about" if cell.knee.below is not None else "at or below"  # the lowest load that was tried
        yield f"The knee is {about} {number(cell.knee.load)}{at}."


def _amount(value: float, cell: CellCapacity) -> str:
    if cell.of == "users":
        return f"{number(round(value))} connections at {number(cell.beside)} messages/s each"
    return f"{number(value)} messages/s from each of {number(cell.beside)} senders"


def _alone(interval: Interval) -> str:
    return in_brackets(number(interval.estimate), why_no_limits(interval, *_SEARCHES))


def _limits(interval: Interval) -> str:
    limits = f"95 %: {number(interval.low)}–{number(interval.high)}"
    return f" ({limits if interval.has_limits else why_no_limits(interval, *_SEARCHES)})"


def _in_all(cell: CellCapacity) -> str:
    assert cell.interval is not None
    return f", {number(cell.interval.estimate * cell.beside)} messages/s sent in all"


def _of_what_gave_way(gave: GaveWay | None) -> Iterator[str]:
    if gave is None:
        return
    if not gave.busiest:
        yield f"{listed(gave.broke)} broke; what was busiest is not known."
    elif gave.is_busy:
        yield f"What gave way first is {_PARTS[gave.busiest]}, busy {percent(gave.share)} % of the time."
    else:
        yield (
            f"Nothing was busy all the time: {listed(gave.broke)} broke while {_PARTS[gave.busiest]}, "
            f"the busiest, was busy {percent(gave.share)} % of the time."
        )


def _of_scaling(scaling: WorkerScaling, namer: Namer) -> str:
    key = scaling.cells[0].cell
    name = namer.name(key).replace(f", {key.say(WORKERS)}", "")  # its number of workers is one of several
    return f"{name}: {_law(scaling)}"


def _law(scaling: WorkerScaling) -> str:
    found = scaling.scaling
    if found is None:
        return f"the scalability law is not known, for {scaling.why}."
    best = f"{found.best:.0f} workers carry the most." if isfinite(found.best) else "More workers always carry more."
    left_out = f" Left out: {scaling.left_out}." if scaling.left_out else ""
    return (
        f"one worker carries {with_interval(found.rate)} messages/s in all; contention "
        f"{_share(found.contention)}, coherence {_share(found.coherence)}. {best}{left_out}"
    )


def _share(interval: Interval) -> str:
    return f"{percent(interval.estimate)} % ({percent(max(0.0, interval.low))}–{percent(interval.high)})"


def interrupted_note(answers: CapacityAnswers) -> Sequence[str]:
    """Say where a run is not whole."""
    state = answers.manifest.state
    return () if state == "finished" else (f"This run is {state}: searches without an end do not count.",)
