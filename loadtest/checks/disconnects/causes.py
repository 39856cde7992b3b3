"""Why disconnects were missed: the causes of a cell, and each in words a Channels user understands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loadtest.checks import dropped
from loadtest.checks.disconnects.account import account_of_all
from loadtest.checks.disconnects.table import CAUSES
from loadtest.figures.cell import Cell

NOT_RECORDED = "cause not recorded"
"""Of the missed ones for which the table names no cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A cause told in full, for the sentence that explains it, and in short, for those that count it."""

    full: str
    short: str


_WORDS: Mapping[str, Words] = {
    dropped.SEND_RAISED: Words(
        full="the next message to the dropped client raised, and the consumer's task ended before its disconnect was "
        "handled (django/channels#1466)",
        short="the next message to the dropped client raised and ended the consumer's task",
    ),
    dropped.HANDLER_RAISED: Words(
        full="a handler of the consumer raised, and its task ended before its disconnect was handled",
        short="a handler raised and ended the consumer's task",
    ),
    dropped.ENDED_SILENTLY: Words(
        full="the consumer's task ended, without an exception, before its disconnect was handled",
        short="the consumer's task ended without an exception",
    ),
    dropped.CONNECT_RUNNING: Words(
        full="the consumer's connect() was still running when settling ended, so its disconnect still waited",
        short="connect() was still running",
    ),
    dropped.HANDLER_BUSY: Words(
        full="a handler of the consumer was still running when settling ended, and its disconnect waited behind it",
        short="a handler was still running",
    ),
    dropped.NOT_NOTICED: Words(
        full="the server still held the connection as open when settling ended: nothing told it of the drop",
        short="the server still held the connection as open",
    ),
}


def words_of(cause: str) -> Words:
    """The cause in words; one that is not known here stands for itself."""
    return _WORDS.get(cause, Words(full=cause, short=cause))


def causes_of(cells: Iterable[Cell]) -> Counter[str]:
    """How many disconnects these cells missed for each cause, over all trials; the counts add up to the missed."""
    cells = list(cells)
    counts = sum((cell.counts(CAUSES) for cell in cells), Counter[str]())
    rest = account_of_all(cells).missed - counts.total()
    if rest > 0:
        counts[NOT_RECORDED] += rest
    return counts
