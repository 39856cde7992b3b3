"""Matching: of all that a server recorded, what belongs to one test of Locust; pure.

A server may have run for long, and for several tests, in each of which Locust counts its connections from the same
number. And two ledgers may not belong together at all: nothing is said of such but that.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import polars as pl

from loadtest.contract import CONNECTION_HEADER
from loadtest.ledger import Event, Phase
from loadtest.ledger.record import SERVER_NAMED

_NS_A_S: Final = 1_000_000_000
_WHOLE: Final = frozenset({Phase.STEADY, Phase.RECOVER, Phase.DRAIN, Phase.CLOSE, Phase.END})
"""The phases without which it is not known what counts."""


class AuditError(Exception):
    """These ledgers cannot be audited; the message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledgers:
    """What both sides recorded of one test; columns as `loadtest.ledger.reader.read_ledger` has them."""

    client: pl.DataFrame
    server: pl.DataFrame


def of_one_test(client: pl.DataFrame, server: pl.DataFrame) -> Ledgers:
    """Return both ledgers of the test that the client's is of; AuditError where that is none, or not the server's."""
    _require_one_whole_test(client)
    _require_same_time(client, server)
    server = _of_that_test(client, server)
    _require_connections_of(client, server)
    return Ledgers(client=client, server=server)


def only(ledger: pl.DataFrame, *events: Event) -> pl.DataFrame:
    """Return the records of these kinds."""
    return ledger.filter(pl.col("event").is_in([int(event) for event in events]))


def _require_one_whole_test(client: pl.DataFrame) -> None:
    phases: Collection[int] = only(client, Event.PHASE)["code"].to_list()
    tests = list(phases).count(Phase.RAMP)
    if not tests:
        raise AuditError(
            "the client's ledger has no phases, so nobody knows which part of it counts; start locust with --steady "
            "and the seconds that are to count"
        )
    if tests > 1:
        raise AuditError(f"the client's ledger is of {tests} tests; give each locust a --ledger folder of its own")
    if missing := sorted(_WHOLE - set(phases)):
        raise AuditError(
            f"locust ended before its {Phase(missing[0]).name.lower()} phase; leave --run-time out, for with --steady "
            "it ends by itself, and wait until it has"
        )


def _require_same_time(client: pl.DataFrame, server: pl.DataFrame) -> None:
    if server.is_empty():
        raise AuditError("the server's ledger is empty: no connection came to it")
    ours, theirs = client["time_ns"], server["time_ns"]
    for order, gap_ns in (("after", theirs[0] - ours[-1]), ("before", ours[0] - theirs[-1])):
        if gap_ns > 0:
            raise AuditError(
                f"the ledgers do not overlap in time: the server's is {gap_ns / _NS_A_S:,.1f} s {order} the client's; "
                "both have to be of one test, on one machine"
            )


def _of_that_test(client: pl.DataFrame, server: pl.DataFrame) -> pl.DataFrame:
    """Return the server's records from the test's first one until another test began.

    Of each connection from its scope on: in an earlier test another one may have had its number.
    """
    began_ns, ended_ns = client["time_ns"][0], client["time_ns"][-1]
    server = server.filter(pl.col("time_ns") >= began_ns)
    scopes = only(server, Event.SCOPE).filter(pl.col("connection") < pl.lit(SERVER_NAMED, pl.UInt64))
    next_ns = scopes.filter(pl.col("time_ns") > ended_ns)["time_ns"].min()
    if next_ns is not None:
        server = server.filter(pl.col("time_ns") < next_ns)
    opened = scopes.group_by("connection").agg(scope_ns=pl.col("time_ns").min())
    return (
        server.join(opened, on="connection", how="left", maintain_order="left")
        .filter(pl.col("scope_ns").is_null() | (pl.col("time_ns") >= pl.col("scope_ns")))
        .drop("scope_ns")
    )


def _require_connections_of(client: pl.DataFrame, server: pl.DataFrame) -> None:
    scopes = only(server, Event.SCOPE)
    if scopes.is_empty():
        raise AuditError(
            "the server's ledger has no connection of that time; wrap the application in asgi.py in "
            "loadtest.probe.Probe"
        )
    if only(server, Event.CONSUMER).is_empty():
        raise AuditError(
            'the server\'s ledger has connections and no consumer; put "loadtest.probe" in INSTALLED_APPS, or nobody '
            "sees whether disconnect() is called"
        )
    if scopes.join(only(client, Event.OPENED), on="connection", how="semi").is_empty():
        raise AuditError(
            "no connection is in both ledgers; is that the server that locust had for --host? A proxy between them "
            f"must leave the header {CONNECTION_HEADER} as it is"
        )
