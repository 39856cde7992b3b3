"""Audited: what the checks find in ledgers that were recorded without the bench.

They are the checks of a bench. What only a bench could know is unknown, with the reason: nobody sampled processes and
machine, and nobody asked the server what it still held.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from loadtest.audit.matching import Ledgers, only
from loadtest.audit.reading import read_both
from loadtest.bench.measuring import check_trial
from loadtest.bench.plan import Trial
from loadtest.bench.scenarios import SCENARIOS
from loadtest.checks import TrialRecords
from loadtest.checks.records import NO_SAMPLES, Reaches
from loadtest.dimensions import CONSUMER, DROP, LAYER, MIXED_DROPS, NO_DROP, SCENARIO, SERVER, CellKey, Value
from loadtest.drops import DropError, find_drop
from loadtest.layers import CONFIGURED
from loadtest.ledger import Event, Phase
from loadtest.report.tables import Tables

BY_HAND: Final = "by-hand"
"""The server of a cell whose server somebody started: its ledger does not say what it is."""
UNSAMPLED: Final = "no bench was there to sample the processes"
UNREAD: Final = "no bench was there to ask the server what it still held"
ANSWERS_ALONE: Final = (
    "no message reached anybody but its sender; if the app answers the sender alone, say --scenario echo"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What ledgers do not say, and whoever recorded them has to."""

    scenario: str = "churn"
    """One of SCENARIOS."""
    reaches: Reaches = "everyone"
    allow_contention: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """The figures of a test, why they do not count, if so, and its ledgers."""

    told: Told
    cell: CellKey
    ledgers: Ledgers
    tables: Tables
    invalid: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def trial(self) -> Trial:
        """The trial that it is: the only one."""
        return _trial(self.cell)

    @property
    def values(self) -> Mapping[str, tuple[Value, ...]]:
        """What is known of the values that tell its cell from others."""
        summary = SCENARIOS[self.told.scenario].summary
        drops = _kinds(self.ledgers)
        return {
            SERVER.name: (Value(name=BY_HAND, summary="started by hand"),),
            LAYER.name: (Value(name=CONFIGURED.name, summary=CONFIGURED.summary),),
            CONSUMER.name: (Value(name=self.cell[CONSUMER]),),
            SCENARIO.name: (Value(name=self.told.scenario, summary=summary),),
            DROP.name: tuple(_drop_value(name) for name in drops),
        }


def audited(client: Path, server: Path, told: Told) -> Audited:
    """Audit two folders of ledgers; raises AuditError where they cannot be, LedgerError where one cannot be read."""
    return audit_of(read_both(client, server), told)


def audit_of(ledgers: Ledgers, told: Told) -> Audited:
    """Run every check on what both sides recorded of one test."""
    trial_records = records_of(ledgers, told)
    cell = _cell(ledgers, told)
    tables, invalid = check_trial(_trial(cell), trial_records)
    notes = (ANSWERS_ALONE,) if _answers_alone(trial_records) else ()
    return Audited(told=told, cell=cell, ledgers=ledgers, tables=tables, invalid=invalid, notes=notes)


def records_of(ledgers: Ledgers, told: Told) -> TrialRecords:
    """Return what the checks are given: of what only a bench records, that it is not known."""
    client = ledgers.client if SCENARIOS[told.scenario].uses_layer else _each_alone(ledgers.client)
    drops = _kinds(ledgers)
    return TrialRecords(
        client=client,
        server=ledgers.server,
        samples=NO_SAMPLES,
        unsampled=UNSAMPLED,
        before=(),
        after=(),
        after_unknown=UNREAD,
        settled_ns=_let_go_ns(client) if any(map(_is_silent, drops)) else None,
        drops=drops,
        users=only(client, Event.OPENING)["value"].n_unique(),
        reaches=told.reaches,
        allow_contention=told.allow_contention,
    )


def _trial(cell: CellKey) -> Trial:
    return Trial(cell=cell, number=1, seed=0)


def _cell(ledgers: Ledgers, told: Told) -> CellKey:
    drops = _kinds(ledgers)
    consumers = only(ledgers.server, Event.CONSUMER)["text"].drop_nulls().unique().sort()
    return CellKey(
        server=BY_HAND,
        workers=only(ledgers.server, Event.SCOPE)["pid"].n_unique(),
        layer=CONFIGURED.name,
        consumer="+".join(name.rpartition(".")[2] for name in consumers),
        scenario=told.scenario,
        drop=MIXED_DROPS if len(drops) > 1 else next(iter(drops), NO_DROP),
    )


def _kinds(ledgers: Ledgers) -> tuple[str, ...]:
    """Return the kinds of drop that there were, by name."""
    return tuple(only(ledgers.client, Event.DROPPED)["text"].drop_nulls().unique().sort())


def _is_silent(drop: str) -> bool:
    try:
        return find_drop(drop).silent
    except DropError:
        return False


def _drop_value(name: str) -> Value:
    try:
        row = find_drop(name)
    except DropError:
        return Value(name=name)
    return Value(name=name, summary=row.wire, outcome=row.outcome)


def _let_go_ns(client: pl.DataFrame) -> int:
    """Return when Locust let go of what it had dropped silently: what the server did then tells nothing of a drop."""
    ends = only(client, Event.PHASE).filter(pl.col("code") == int(Phase.END))["time_ns"]
    return int(ends[0])


def _each_alone(client: pl.DataFrame) -> pl.DataFrame:
    """Return the ledger with a room for each member: what one sends is to come back to it, and to nobody else."""
    is_opening = pl.col("event") == int(Event.OPENING)
    room = pl.format("member {}", "value")
    return client.with_columns(text=pl.when(is_opening).then(room).otherwise("text"))


def _answers_alone(trial: TrialRecords) -> bool:
    """Tell whether members share rooms, and each gets its own messages alone."""
    rooms = trial.client_events(Event.OPENING).group_by("text").agg(pl.col("value").n_unique())
    if trial.reaches == "nobody" or trial.received.is_empty() or rooms["value"].max() == 1:
        return False
    of_others = trial.received.filter(pl.col("value") // 2**32 != pl.col("connection"))
    return of_others.is_empty()
