"""What a failed test prints of a result: its figures, what is not known, and the stories of some connections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loadtest.cli.show import PIPED_WIDTH, story_table
from loadtest.pytest_plugin.result import Example, Result
from loadtest.report.console import PlainConsole
from loadtest.report.errors import ReportError
from loadtest.report.show_command import show_command
from loadtest.report.story import read_story

MOST_STORIES: Final = 2
"""A story has some 30 lines; of the other connections the command is named that prints theirs."""
_DROPS: Final = ("dropped", "disconnect_called", "missed", "unknown")
_LEFT: Final = ("groups_left", "tasks_left", "queues_left", "subscriptions_left", "presence_left")
_MESSAGES: Final = ("expected", "delivered", "lost", "duplicated")


def told(result: Result) -> str:
    """Return the result in words, with the story of a connection for what is not as it should be."""
    return "\n".join([*_figures(result), *_stories(result)])


def _figures(result: Result) -> Iterator[str]:
    if not result.valid:
        yield f"NOT VALID, the figures are about the generator or the machine: {result.invalid_because}"
    if result.dropped == 0:
        yield "nothing was dropped"
    else:
        yield from _of_drops(result)
    yield f"messages: {_counts(result, _MESSAGES)}"
    yield from (f"unknown: {why}" for why in result.unknown_because)
    yield from (f"note: {note}" for note in result.notes)


def _of_drops(result: Result) -> Iterator[str]:
    yield f"drops: {_counts(result, _DROPS)}"
    yield f"left behind: {_counts(result, _LEFT)}"
    times = f"p50 {_number(result.detect_ms.p50)}, p99 {_number(result.detect_ms.p99)}"
    yield f"detect_ms: {times}; exposure {_number(result.exposure)}; missed_share {_number(result.missed_share)}"


def _counts(result: Result, names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {_number(getattr(result, name))}" for name in names)


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}" if isinstance(value, float) else f"{value}"


def _stories(result: Result) -> Iterator[str]:
    by_connection: dict[str, list[Example]] = {}
    for example in result.examples:
        by_connection.setdefault(example.connection, []).append(example)
    for place, (connection, examples) in enumerate(by_connection.items()):
        number = connection.rpartition(":")[2]
        yield f"\nconnection {number} {' and '.join(example.what for example in examples)}:"
        if place < MOST_STORIES:
            yield _story(result, connection)
        yield f"  {show_command(result.folder, connection)}"


def _story(result: Result, connection: str) -> str:
    try:
        story = read_story(result.folder, connection)
    except ReportError as error:  # its files are gone, say
        return f"  ({error})"
    console = PlainConsole(width=PIPED_WIDTH, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(story_table(story))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())
