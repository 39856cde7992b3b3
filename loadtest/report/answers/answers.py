"""The answers of a run, the most important first: who misses disconnects, why, what stays, how fast, how sure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from loadtest.checks.disconnects.account import account_of_all
from loadtest.checks.disconnects.causes import causes_of, words_of
from loadtest.checks.disconnects.left import LEFT, Left, LeftKind, left_of
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.drops import CAUSE, VERDICT
from loadtest.figures.cell import Cell
from loadtest.figures.topics import STOOD_STILL
from loadtest.figures.words import counted, listed
from loadtest.report.answers.answer import Answer
from loadtest.report.answers.missed import missed_answer
from loadtest.report.answers.speed import speed_answer
from loadtest.report.noise import over_rounds_words
from loadtest.report.summary import Summary


def answers_of(summary: Summary) -> tuple[Answer, ...]:
    """The answers that the run has; none where no trial was finished.

    What makes the others doubtful comes first: a server that stood still, trials that failed or do not count.
    """
    if not summary.cells:
        return ()
    dropped = summary.evidence.having(DISCONNECTS)
    found = [*_doubts(summary), missed_answer(summary), _why(dropped, summary), _left(dropped), speed_answer(summary)]
    return (*(answer for answer in found if answer is not None), _sure(summary))


def _doubts(summary: Summary) -> Iterator[Answer]:
    still = [finding for finding in summary.findings if finding.topic == STOOD_STILL]
    if still:
        yield Answer(
            asks="Stood still", text=still[0].text, anchor="found", evidence="what was found", severity="warning"
        )
    manifest = summary.manifest
    said = []
    if manifest.state != "finished":
        said.append(f"{manifest.done} of {counted(manifest.planned, 'trial')} were done ({manifest.state})")
    if manifest.failed:
        said.append(f"{counted(len(manifest.failed), 'trial')} failed")
    if manifest.invalid:
        said.append(f"{counted(len(manifest.invalid), 'trial')} left out: the machine or the generator was the limit")
    if said:
        yield Answer(
            asks="Not whole", text=f"{'; '.join(said)}.", anchor="run", evidence="which trials", severity="warning"
        )


def _why(dropped: Sequence[Cell], summary: Summary) -> Answer | None:
    """What happens to those who drop, and why; None where none was missed."""
    account, causes = account_of_all(dropped), causes_of(dropped)
    if not causes:
        return None
    ((cause, count),) = causes.most_common(1)
    mostly = "" if count == causes.total() else f"mostly ({count:,}) "
    text = f"For {account.missed:,} of {account.dropped:,} dropped connections disconnect() never ran: {mostly}"
    unknown = f" Of {account.unknown:,} it is not known." if account.unknown else ""
    of_cause = (VERDICT.expr == "missed") & (CAUSE.expr == cause)
    return Answer(
        asks="Why",
        text=f"{text}{words_of(cause).full}.{unknown}",
        short=f"{text}{words_of(cause).short}.{unknown}",
        example=summary.evidence.examples.first(dropped, of_cause),
        anchor="causes",
        evidence="the causes",
        severity="warning",
    )


def _left(dropped: Sequence[Cell]) -> Answer | None:
    """What dropped connections left behind; None where nothing was dropped or it is not known."""
    found = {kind: left for column, kind in LEFT.items() if (left := left_of(dropped, column)) is not None}
    if not found:
        return None
    of = max(left.dropped for left in found.values())
    parts = [kind.told.format(f"{left.count:,}") for kind, left in found.items() if left.count]
    drops = f"{of:,} dropped connections"
    text = f"Of {drops} {listed(parts)}." if parts else f"None of {drops} left anything behind."
    return Answer(
        asks="Left behind",
        text=text,
        short=_short_left(found, of),
        anchor="left",
        evidence="where",
        severity="warning" if parts else "good",
    )


def _short_left(found: Mapping[LeftKind, Left], of: int) -> str:
    """`Of 3,159 drops the server kept 182 in a group and 182 online.`"""
    kept = [kind.briefly.format(f"{left.count:,}") for kind, left in found.items() if left.count]
    return f"Of {of:,} drops the server kept {listed(kept or ['nothing'])}."


def _sure(summary: Summary) -> Answer:
    manifest = summary.manifest
    rounds = len({trial.round for cell in summary.cells for trial in cell.valid_trials})
    noise = over_rounds_words(summary.noise)
    said = f"Brackets hold 95 % intervals over {counted(rounds, 'round')} on one machine."
    twice = f" The same thing measured twice differed by up to {noise}." if noise else ""
    again = f" {counted(len(manifest.repeated), 'trial')} had to be run again." if manifest.repeated else ""
    return Answer(asks="How sure", text=f"{said}{twice}{again}", anchor="method", evidence="the method", in_brief=False)
