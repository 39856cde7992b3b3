"""What every column of a results folder is: one row a column; docs/format.md is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Dtype = Literal["str", "int", "float"]
Better = Literal["higher", "lower"]

FORMAT_VERSION = 3
"""Version of the results folder. Changes: 1 = the first; 2 = unasked_example, lost_example, deaf_example;
3 = subscriptions_left, and of each drop noticed_ms, returned, ended_ms, subscription_left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: an empty cell means "not known", or "does not apply" where `meaning` says so."""

    name: str
    unit: str  # "" where it has none
    dtype: Dtype
    meaning: str
    better: Better | None
    since: int = 1
    """The version of the results folder that it came with; in a folder of an older one it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One CSV file: the key columns, then its own."""

    name: str
    meaning: str
    row: str  # what one row stands for
    unique: tuple[str, ...]  # columns no two rows may share; () where rows repeat
    figures: tuple[Column, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        return KEY + self.figures

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    def column(self, name: str) -> Column:
        """The column of that name; KeyError if there is none."""
        return {column.name: column for column in self.columns}[name]


def _column(
    name: str, unit: str, dtype: Dtype, meaning: str, better: Better | None = None, *, since: int = 1
) -> Column:
    return Column(name=name, unit=unit, dtype=dtype, meaning=meaning, better=better, since=since)


KEY: tuple[Column, ...] = (
    _column("server", "", "str", "the server that ran the app"),
    _column("workers", "processes", "int", "how many processes it ran"),
    _column("layer", "", "str", "the channel layer"),
    _column("consumer", "", "str", "the kind of consumer"),
    _column("scenario", "", "str", "what the clients did"),
    _column("drop", "", "str", '"none", one kind of drop, or "mixed" where one trial used several'),
    _column("trial", "", "int", "which measured run of this cell, from 1"),
)
KEY_NAMES: tuple[str, ...] = tuple(column.name for column in KEY)
CELL_NAMES: tuple[str, ...] = KEY_NAMES[:-1]

_THROUGHPUT = Table(
    name="throughput",
    meaning="How much was carried, how late it came, and what it cost.",
    row="one trial",
    unique=KEY_NAMES,
    figures=(
        _column("users", "connections", "int", "WebSockets open at a time, as planned"),
        _column("sent", "messages", "int", "messages the clients sent in the steady window"),
        _column("received", "messages", "int", "messages the clients received in the steady window"),
        _column("duration_s", "s", "float", "length of the steady window"),
        _column("messages_per_s", "messages/s", "float", "messages received a second in the steady window", "higher"),
        _column("latency_ms_p50", "ms", "float", "half of the messages came at most this late", "lower"),
        _column("latency_ms_p90", "ms", "float", "9 of 10 messages came at most this late", "lower"),
        _column("latency_ms_p99", "ms", "float", "99 of 100 messages came at most this late", "lower"),
        _column("latency_ms_p999", "ms", "float", "999 of 1,000 messages came at most this late", "lower"),
        _column("latency_ms_max", "ms", "float", "the latest message", "lower"),
        _column("server_cpu_s", "s", "float", "CPU time of all server processes in the steady window", "lower"),
        _column("server_rss_mb", "MB", "float", "most resident memory of all server processes", "lower"),
        _column("generator_cpu_s", "s", "float", "CPU time of the load generator in the steady window"),
        _column("stalls", "", "int", "times the server's event loop served nobody for 100 ms or longer", "lower"),
        _column("stalled_ms", "ms", "float", "how long these were together", "lower"),
        _column(
            "ended_unasked", "connections", "int", "connections that ended in the trial without our doing", "lower"
        ),
        _column("unasked_example", "", "str", "one of these as `channels-loadtest show` takes it", since=2),
        _column("valid", "", "str", '"yes", or "no": the generator or the machine was the limit, not the server'),
    ),
)

_DISCONNECTS = Table(
    name="disconnects",
    meaning="What the server did with each dropped connection; dropped = disconnect_called + missed + unknown.",
    row="one kind of drop in one trial",
    unique=KEY_NAMES,
    figures=(
        _column("dropped", "connections", "int", "connections the clients dropped"),
        _column("disconnect_called", "connections", "int", "of these, how many had disconnect() entered", "higher"),
        _column("missed", "connections", "int", "never had disconnect() entered by the end of settling", "lower"),
        _column("unknown", "connections", "int", "it cannot be said whether disconnect() was entered", "lower"),
        _column(
            "detect_ms_p50", "ms", "float", "from the drop to disconnect() entered: half took at most this", "lower"
        ),
        _column("detect_ms_p99", "ms", "float", "the same, 99 of 100 took at most this", "lower"),
        _column("detect_ms_max", "ms", "float", "the same, the slowest", "lower"),
        _column("codes", "", "str", 'the codes disconnect() got and how often, "1005:38 1006:2"'),
        _column("groups_left", "connections", "int", "dropped connections still in a group after settling", "lower"),
        _column("tasks_left", "connections", "int", "dropped connections whose consumer task still ran", "lower"),
        _column("presence_left", "connections", "int", "dropped connections the database shows as online", "lower"),
        _column("never_reached", "connections", "int", "died inside the HTTP upgrade; not part of dropped"),
        _column("noticed", "connections", "int", "of these, how many the server handed a disconnect for", "higher"),
        _column("returned", "connections", "int", "of these, how many had disconnect() return", "higher"),
        _column("raised", "connections", "int", "of these, how many had disconnect() raise", "lower"),
        _column(
            "queues_left", "connections", "int", "dropped connections with messages still queued for them", "lower"
        ),
        _column(
            "subscriptions_left",
            "connections",
            "int",
            "dropped connections to whose channel the layer was still subscribed",
            "lower",
            since=3,
        ),
        _column("causes", "", "str", 'why disconnect() was missed and how often, "handler busy:3 not noticed:1"'),
        _column("example", "", "str", "a missed connection as `channels-loadtest show` takes it"),
    ),
)

_DROPS = Table(
    name="drops",
    meaning="The audit of every single dropped connection; disconnects.csv sums it up.",
    row="one dropped connection",
    unique=(),
    figures=(
        _column("connection", "", "int", "its id, as in the ledgers"),
        _column("t_s", "s", "float", "when it was dropped, from the start of the steady window"),
        _column(
            "verdict", "", "str", '"called", "missed", "never reached" (no application ever ran for it) or "unknown"'
        ),
        _column("cause", "", "str", "why disconnect() was missed"),
        _column(
            "noticed_ms", "ms", "float", "from the drop until the server handed out a disconnect", "lower", since=3
        ),
        _column("detect_ms", "ms", "float", "from the drop to disconnect() entered", "lower"),
        _column("code", "", "int", "the code disconnect() got"),
        _column("returned", "", "int", "1: disconnect() returned; 0: it had not by the end of settling", since=3),
        _column("raised", "", "str", "the exception that disconnect() raised"),
        _column("ended_by", "", "str", "the exception that ended its task; empty if none did"),
        _column("ended_ms", "ms", "float", "from the drop to the end of its task", "lower", since=3),
        _column("task_left", "", "int", "1: its task still ran after settling"),
        _column("group_left", "", "int", "1: it was still in a group after settling"),
        _column("queue_left", "", "int", "1: messages were still queued for it after settling"),
        _column("subscription_left", "", "int", "1: the layer was still subscribed to its channel", since=3),
        _column("presence_left", "", "int", "1: the database still showed it as online after settling"),
    ),
)

_DELIVERY = Table(
    name="delivery",
    meaning="What became of each message for each member it was meant for; expected = delivered + lost + unknown.",
    row="one trial",
    unique=KEY_NAMES,
    figures=(
        _column("expected", "messages", "int", "messages meant for a member that was connected throughout"),
        _column("delivered", "messages", "int", "of these, received", "higher"),
        _column("lost", "messages", "int", "of these, never received", "lower"),
        _column("duplicated", "messages", "int", "received more than once", "lower"),
        _column("reordered", "messages", "int", "received after a later one of the same sender", "lower"),
        _column("offline", "messages", "int", "sent while the member was offline: not expected, never called lost"),
        _column("unknown", "messages", "int", "it cannot be said whether it was received", "lower"),
        _column("edge", "messages", "int", "of these, under way when its sender or receiver was dropped", "lower"),
        _column(
            "deaf",
            "connections",
            "int",
            "stayed open and received nothing more of all that was meant for them",
            "lower",
        ),
        _column(
            "lost_example", "", "str", "a connection that lost a message as `channels-loadtest show` takes it", since=2
        ),
        _column("deaf_example", "", "str", "a deaf connection as `channels-loadtest show` takes it", since=2),
    ),
)

_RESIDUE = Table(
    name="residue",
    meaning="What was there before the load and what was there after it had gone.",
    row="one kind of residue in one trial",
    unique=(*KEY_NAMES, "kind"),
    figures=(
        _column("kind", "", "str", "what was counted: group members, layer queues, asyncio tasks, ..."),
        _column("before", "", "int", "how many before the first connection"),
        _column("after", "", "int", "how many after the last had gone and the server had settled"),
        _column("left", "", "int", "how many of these the load left behind", "lower"),
        _column("example", "", "str", "one of those left behind, by its name"),
    ),
)

_TIMELINE = Table(
    name="timeline",
    meaning="Each trial in steps of a quarter of a second.",
    row="one step of one trial",
    unique=(),
    figures=(
        _column("t_s", "s", "float", "start of the step, from the start of the steady window (negative: warm-up)"),
        _column("open_sockets", "connections", "int", "WebSockets open at the clients"),
        _column("sent", "messages", "int", "messages sent in the step"),
        _column("received", "messages", "int", "messages received in the step"),
        _column("dropped", "connections", "int", "connections dropped in the step"),
        _column("latency_ms_p50", "ms", "float", "half of the step's messages came at most this late", "lower"),
        _column("latency_ms_max", "ms", "float", "the step's latest message", "lower"),
        _column("server_cpu_percent", "%", "float", "CPU of all server processes; 100 is one core"),
        _column("server_rss_mb", "MB", "float", "resident memory of all server processes"),
        _column("generator_cpu_percent", "%", "float", "CPU of the load generator; 100 is one core"),
    ),
)

_UNKNOWN = Table(
    name="unknown",
    meaning="Why a number is not known.",
    row="one number that is not known in one trial",
    unique=(),
    figures=(
        _column("column", "", "str", "the column whose cell is empty"),
        _column("why", "", "str", "the reason in plain words"),
    ),
)

TABLES: Mapping[str, Table] = MappingProxyType(
    {table.name: table for table in (_THROUGHPUT, _DISCONNECTS, _DROPS, _DELIVERY, _RESIDUE, _TIMELINE, _UNKNOWN)}
)


def describe() -> str:
    """The Markdown of docs/format.md: the key columns, then a section and a table for each CSV file."""
    sections = [_section("Key columns", "The first columns of every CSV file.", KEY)]
    for table in TABLES.values():
        sections.append(_section(f"`{table.file}`", f"{table.meaning} One row: {table.row}.", table.figures))
    return "\n".join(sections)


def _section(heading: str, text: str, columns: tuple[Column, ...]) -> str:
    rows = [f"| `{c.name}` | {c.unit} | {c.dtype} | {c.meaning} | {c.better or ''} |" for c in columns]
    head = ["| column | unit | type | meaning | better |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([f"### {heading}", "", text, "", *head, *rows, ""])
