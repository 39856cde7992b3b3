"""The audit's cost: all checks on a made-up trial of ten million ledger records, in a process of its own.

Run as `python -m tests.perf.audit_cost FOLDER` it audits the ledgers in FOLDER and prints what that took as JSON.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loadtest.checks import CHECKS, ProcessResidue, TrialRecords, run_check
from loadtest.ledger import Event, Phase, Recorder
from loadtest.ledger.reader import read_ledger
from loadtest.ledger.record import Side, message_id

RECORDS = 10_000_000
SEED = 1
USERS = 200
ROOM = 20
WINDOW_S = 60
LIFE_S = 6
"""Mean of how long a member stays connected before it is dropped; it is away for a second then."""
LOST = 1e-4
CHUNK = 200_000
PATIENCE_S = 300
_S = 1_000_000_000
_START_NS = 100 * _S
_END_NS = _START_NS + WINDOW_S * _S
_FIRST_CONNECTION = 1 << 24

Column = NDArray[np.int64]


def main() -> dict[str, float]:
    """Make the ledgers, have them audited, print what it took and return it."""
    with tempfile.TemporaryDirectory() as name:
        write_trial(Path(name))
        command = [sys.executable, "-m", "tests.perf.audit_cost", name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode:
        sys.exit(f"the audit failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout)
    print("\naudit")
    print("  " + "  ".join(f"{name} {value:,.1f}" for name, value in found.items()), flush=True)
    return found


def audit(folder: Path) -> dict[str, float]:
    """Run every check on the ledgers in the folder; what it took: CPU and wall time in s, peak resident MB."""
    started = time.perf_counter()
    client, server = read_ledger(folder, "client"), read_ledger(folder, "server")
    trial = TrialRecords(
        client=client,
        server=server,
        samples=_samples(),
        before=(_held(),),
        after=(_held(),),
        settled_ns=_END_NS + 10 * _S,
        drops=("rst",),
        users=USERS,
    )
    findings = {check.name: run_check(check, trial) for check in CHECKS}
    seconds = time.perf_counter() - started
    if failed := [why for finding in findings.values() for _, why in finding.unknown if "failed" in why]:
        sys.exit("\n".join(failed))
    own = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "records": client.height + server.height,
        "dropped": int(findings["disconnects"].rows["dropped"].sum()),
        "lost": int(findings["delivery"].rows["lost"].sum()),
        "seconds": seconds,
        "cpu_s": own.ru_utime + own.ru_stime,
        "peak_mb": own.ru_maxrss * 1024 / 1_000_000,
    }


def _held() -> ProcessResidue:
    return ProcessResidue(
        pid=0, groups={}, queues={}, subscriptions=[], tasks={}, threads=[], fds={}, presence=[], memory_kb=1
    )


def _samples() -> pl.DataFrame:
    times = [t for t in range(_START_NS - 5 * _S, _END_NS + 5 * _S, _S // 10) for _ in ("server", "generator")]
    count = len(times)
    return pl.DataFrame(
        {
            "time_ns": times,
            "role": ["server", "generator"] * (count // 2),
            "cpu_s": [number / 40 for number in range(count)],
            "rss_bytes": [100_000_000] * count,
        }
    )


# the trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """The connections of all members, by member and time."""

    member: Column
    connection: Column
    opened_ns: Column
    ended_ns: Column
    dropped: NDArray[np.bool_]

    def at(self, member: Column, time_ns: Column) -> Column:
        """The place of the connection that each member had at each time; -1 where it had none."""
        span = 1 << 40  # longer than the trial, in ns
        place = np.searchsorted(self.member * span + self.opened_ns, member * span + time_ns, "right") - 1
        has_one = (place >= 0) & (self.member[place] == member) & (time_ns < self.ended_ns[place])
        return np.where(has_one, place, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Some records of one event."""

    event: Event
    time_ns: Column
    connection: Column
    code: int = 0
    argument: Column | int = 0
    value: Column | int = 0


def write_trial(folder: Path) -> None:
    """Write the ledgers of both sides: rooms that talk while members are dropped and come back."""
    chance = np.random.default_rng(SEED)
    lives = _lives(chance)
    rooms = [f"room-{number}" for number in range(USERS // ROOM)]
    client, server = (list(side) for side in _both_sides(chance, lives))
    _write(folder, "client", [*rooms, "rst"], client)
    _write(folder, "server", ["/ws/", *(f"specific.{number}" for number in lives.connection.tolist())], server)


def _lives(chance: np.random.Generator) -> Lives:
    rows: list[tuple[int, int, int, bool]] = []
    for member in range(USERS):
        opened_ns = _START_NS - 2 * _S + member * 1_000_000
        while opened_ns < _END_NS:
            ended_ns = opened_ns + round((1 + chance.exponential(LIFE_S - 1)) * _S)
            dropped = ended_ns < _END_NS
            rows.append((member, opened_ns, ended_ns if dropped else _END_NS + 3 * _S, dropped))
            opened_ns = ended_ns + _S
    members, opened, ended, drops = (np.array(column) for column in zip(*rows, strict=True))
    connection = _FIRST_CONNECTION + 1 + np.arange(len(rows))
    return Lives(member=members, connection=connection, opened_ns=opened, ended_ns=ended, dropped=drops)


def _both_sides(chance: np.random.Generator, lives: Lives) -> tuple[Iterator[Records], Iterator[Records]]:
    there = LIFE_S / (LIFE_S + 1)  # the share of the members that is connected at a time
    count = round(RECORDS / there / (2 + ROOM * there))
    time_ns = np.sort(chance.integers(_START_NS, _END_NS, count))
    member = chance.integers(0, USERS, count)
    place = lives.at(member, time_ns)
    time_ns, member, place = time_ns[place >= 0], member[place >= 0], place[place >= 0]
    sender = lives.connection[place]
    value = np.asarray(message_id(sender, _nth(sender)))  # type: ignore[arg-type]  # a whole column at once
    return _of_client(chance, lives, time_ns, member, sender, value), _of_server(lives, time_ns, sender)


def _nth(sender: Column) -> Column:
    """Number each sender's messages from 1."""
    order = np.argsort(sender, kind="stable")
    grouped = sender[order]
    first = np.r_[True, grouped[1:] != grouped[:-1]]
    place = np.arange(len(sender))
    nth = np.empty_like(place)
    nth[order] = place - np.maximum.accumulate(np.where(first, place, 0)) + 1
    return nth


def _of_client(
    chance: np.random.Generator, lives: Lives, time_ns: Column, member: Column, sender: Column, value: Column
) -> Iterator[Records]:
    room = lives.member // ROOM + 1
    drop = USERS // ROOM + 1
    gone, stayed = lives.dropped, ~lives.dropped
    yield Records(event=Event.OPENING, time_ns=lives.opened_ns - 1000, connection=lives.connection,
                  argument=room, value=lives.member)  # fmt: skip
    yield Records(event=Event.OPENED, time_ns=lives.opened_ns, connection=lives.connection, code=101)
    yield Records(event=Event.DROPPED, time_ns=lives.ended_ns[gone], connection=lives.connection[gone], argument=drop)
    yield Records(event=Event.DROP_DONE, time_ns=lives.ended_ns[gone] + 1000, connection=lives.connection[gone])
    yield Records(event=Event.CLOSED, time_ns=lives.ended_ns[stayed], connection=lives.connection[stayed], code=1000)
    yield Records(event=Event.SENT, time_ns=time_ns, connection=sender, value=value)
    for seat in range(ROOM):
        arrives_ns = time_ns + chance.integers(100_000, 5_000_000, len(time_ns))
        receiver = lives.at(member // ROOM * ROOM + seat, time_ns)
        comes = (receiver >= 0) & (arrives_ns < lives.ended_ns[receiver]) & (chance.random(len(time_ns)) > LOST)
        yield Records(event=Event.RECEIVED, time_ns=arrives_ns[comes], connection=lives.connection[receiver[comes]],
                      argument=50, value=value[comes])  # fmt: skip
    for number, phase in enumerate((Phase.RAMP, Phase.WARM_UP, Phase.STEADY)):
        yield _mark(phase, _START_NS - (2 - number) * _S)
    for number, phase in enumerate((Phase.RECOVER, Phase.DRAIN, Phase.CLOSE, Phase.END)):
        yield _mark(phase, _END_NS + number * _S)


def _mark(phase: Phase, time_ns: int) -> Records:
    return Records(event=Event.PHASE, time_ns=np.array([time_ns]), connection=np.array([0]), code=phase,
                   value=int(phase is Phase.CLOSE))  # fmt: skip


def _of_server(lives: Lives, time_ns: Column, sender: Column) -> Iterator[Records]:
    numbers = np.arange(len(lives.connection)) + 2
    for event, at_ns, argument in (
        (Event.SCOPE, lives.opened_ns - 500, 1),
        (Event.CHANNEL, lives.opened_ns - 400, numbers),
        (Event.ACCEPTED, lives.opened_ns - 300, 0),
        (Event.DISCONNECT_IN, lives.ended_ns + 900_000, 0),
        (Event.DISCONNECT_ENTERED, lives.ended_ns + 1_000_000, 0),
        (Event.DISCONNECT_RETURNED, lives.ended_ns + 2_000_000, 0),
        (Event.TASK_ENDED, lives.ended_ns + 3_000_000, 0),
    ):
        yield Records(event=event, time_ns=at_ns, connection=lives.connection, code=0, argument=argument)
    yield Records(event=Event.RECEIVE_IN, time_ns=time_ns + 50_000, connection=sender, value=64)


def _write(folder: Path, side: Side, texts: list[str], parts: list[Records]) -> None:
    recorder = Recorder(folder, side)
    for text in texts:
        recorder.text(text)
    for record in _in_order(parts):
        recorder.record(*record)
    recorder.close()


def _in_order(parts: list[Records]) -> Iterator[tuple[int, ...]]:
    """All records by time, each as Recorder.record takes it."""
    time_ns = np.concatenate([part.time_ns for part in parts])
    order = np.argsort(time_ns, kind="stable")
    columns = (
        _whole([part.event for part in parts], parts),
        np.concatenate([part.connection for part in parts]),
        _whole([part.code for part in parts], parts),
        _whole([part.argument for part in parts], parts),
        _whole([part.value for part in parts], parts),
        time_ns,
    )
    for start in range(0, len(order), CHUNK):
        chunk = order[start : start + CHUNK]
        yield from zip(*(column[chunk].tolist() for column in columns), strict=True)


def _whole(values: Sequence[Column | int], parts: list[Records]) -> Column:
    of_each = [np.broadcast_to(value, len(part.time_ns)) for value, part in zip(values, parts, strict=True)]
    return np.concatenate(of_each).astype(np.int64)


if __name__ == "__main__":
    print(json.dumps(audit(Path(sys.argv[1]))))
