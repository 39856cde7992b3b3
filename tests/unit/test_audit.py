"""The audit of ledgers that were recorded without the bench: what is read of them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from loadtest.audit.audited import ANSWERS_ALONE, UNREAD, UNSAMPLED, Told, audit_of
from loadtest.audit.folder import write_run
from loadtest.audit.matching import AuditError, Ledgers, of_one_test
from loadtest.audit.reading import read_both
from loadtest.checks.disconnects.table import TABLE as DISCONNECTS
from loadtest.checks.residue.table import TABLE as RESIDUE
from loadtest.checks.throughput.table import TABLE as THROUGHPUT
from loadtest.dimensions import CONSUMER, DROP, SERVER
from loadtest.ledger import Event, Recorder, Side
from loadtest.ledger.reader import LedgerError
from loadtest.ledger.record import HEADER, MAGIC, RECORD, VERSION
from loadtest.report import read_tables
from loadtest.report.columns import UNKNOWN
from loadtest.report.compare import read_run
from loadtest.report.story import read_story
from tests.unit.checks.histories import (
    END,
    A,
    B,
    C,
    Line,
    accepted,
    client,
    disconnect_in,
    dropped,
    ended,
    entered,
    joined,
    phases,
    received,
    returned,
    scope,
    send_raised,
    sent,
    server,
)

CALLED, MISSED, OPEN = A, B, C


def consumer(t_ms: float, connection: int, name: str = "chat.consumers.Room") -> Line:
    return Line(t_ms=t_ms, event=Event.CONSUMER, connection=connection, text=name)


def begun(connection: int) -> list[Line]:
    return [scope(99, connection), consumer(99, connection), accepted(100, connection)]


def called(connection: int, at: float = 2010) -> list[Line]:
    return [
        disconnect_in(at - 1, connection),
        entered(at, connection),
        returned(at + 1, connection),
        ended(at + 2, connection),
    ]


def missed(connection: int) -> list[Line]:
    return [send_raised(2010, connection, "Gone"), ended(2011, connection, "Gone")]


def of_client(*lines: Line | list[Line], kind: str = "rst") -> pl.DataFrame:
    """A test in which three members were dropped."""
    members = [line for number, one in enumerate((CALLED, MISSED, OPEN)) for line in joined(100, one, member=number)]
    drops = [line for one in (CALLED, MISSED, OPEN) for line in dropped(2000, one, kind)]
    return client(phases(), members, drops, *lines)


def of_server(*lines: Line | list[Line]) -> pl.DataFrame:
    """What became of them: one was called, one was missed, of one the task goes on."""
    return server(begun(CALLED), begun(MISSED), begun(OPEN), called(CALLED), missed(MISSED), *lines)


def disconnects(ledgers: Ledgers, told: Told | None = None) -> tuple[int, int, int, int]:
    (row,) = audit_of(ledgers, told or Told()).tables[DISCONNECTS].to_dicts()
    return row["dropped"], row["disconnect_called"], row["missed"], row["unknown"]


def test_audit_when_nobody_asked_the_server_then_only_a_task_that_still_ran_is_unknown() -> None:
    assert disconnects(of_one_test(of_client(), of_server())) == (3, 1, 1, 1)


def test_audit_when_there_was_no_bench_then_what_it_alone_knows_is_unknown_with_the_reason() -> None:
    found = audit_of(of_one_test(of_client(), of_server()), Told())
    (row,) = found.tables[THROUGHPUT].to_dicts()
    assert (row["valid"], row["users"], found.invalid) == ("yes", 3, ())
    assert [row[name] for name in ("server_cpu_s", "server_rss_mb", "generator_cpu_s", "steal")] == [None] * 4
    assert set(found.tables[RESIDUE]["left"]) == {None}
    why = {(row["column"], row["why"]) for row in found.tables[UNKNOWN].to_dicts()}
    assert {
        ("throughput.server_cpu_s", UNSAMPLED),
        ("disconnects.groups_left", UNREAD),
        ("disconnects.noticed", UNREAD),
    } <= why


def test_audit_when_a_cell_is_named_then_by_what_the_ledgers_tell() -> None:
    found = audit_of(of_one_test(of_client(), of_server()), Told())
    assert [found.cell[place] for place in (SERVER, CONSUMER, DROP)] == ["by-hand", "Room", "rst"]


def test_audit_when_a_drop_was_silent_then_what_the_server_did_once_locust_let_go_does_not_count() -> None:
    late = called(OPEN, at=END + 100)
    assert disconnects(of_one_test(of_client(kind="zombie"), of_server(late))) == (3, 1, 1, 1)
    assert disconnects(of_one_test(of_client(), of_server(late))) == (3, 2, 1, 0)


def test_audit_when_the_server_is_cancelled_at_its_end_then_the_drop_is_unknown() -> None:
    stopped = ended(END + 100, OPEN, "asyncio.exceptions.CancelledError")
    assert disconnects(of_one_test(of_client(), of_server(stopped))) == (3, 1, 1, 1)


def test_audit_when_the_server_had_other_tests_before_and_after_then_they_are_left_out() -> None:
    before = [scope(-900, OPEN), *called(OPEN, at=-800), *called(OPEN, at=50)]
    after = [scope(END + 500, OPEN), consumer(END + 500, OPEN), *called(OPEN, at=END + 600)]
    assert disconnects(of_one_test(of_client(), of_server(before, after))) == (3, 1, 1, 1)


def test_audit_when_each_gets_its_own_messages_alone_then_echo_expects_no_others_and_churn_says_so() -> None:
    own = [line for one in (A, B, C) for line in (sent(1500, one, 1), received(1505, one, one, 1))]
    ledgers = of_one_test(of_client(own), of_server())
    echo, churn = audit_of(ledgers, Told(scenario="echo")), audit_of(ledgers, Told())
    assert [one.tables.frame("delivery")["expected"][0] for one in (echo, churn)] == [3, 9]
    assert (echo.notes, churn.notes) == ((), (ANSWERS_ALONE,))


def test_audit_when_its_folder_is_written_then_it_reads_as_a_run(tmp_path: Path) -> None:
    folder = write_run(audit_of(of_one_test(of_client(), of_server()), Told()), tmp_path, command="audit")
    example = read_tables(folder)[DISCONNECTS]["example"][0]
    assert example == f"by-hand-1-configured-Room-churn-rst/1:{MISSED}"
    assert "DROPPED: rst" in {line.what for line in read_story(folder, example).lines}
    run = read_run(folder)
    assert (run.manifest.state, run.manifest.done, len(run.by_key)) == ("finished", 1, 1)
    assert (tmp_path / "latest").resolve() == folder


@pytest.mark.parametrize(
    ("of_the_client", "of_the_server", "said"),
    [
        (client(joined(100, A)), of_server(), "start locust with --steady"),
        (client(phases(), phases()), of_server(), "is of 2 tests"),
        (client(phases()[:4]), of_server(), "ended before its drain phase"),
        (of_client(), server(), "is empty"),
        (of_client(), server(scope(END + 2000, A)), "do not overlap in time: the server's is 2.0 s after"),
        (of_client(), server(scope(-3000, A)), "do not overlap in time: the server's is 3.0 s before"),
        (of_client(), server(Line(t_ms=900, event=Event.LOOP_BUSY)), "loadtest.probe.Probe"),
        (of_client(), server(scope(99, A)), "INSTALLED_APPS"),
        (of_client(), server(scope(99, 77), consumer(99, 77)), "no connection is in both"),
    ],
)  # fmt: skip
def test_ledgers_when_they_are_not_of_one_whole_test_then_one_sentence_says_what_to_do(
    of_the_client: pl.DataFrame, of_the_server: pl.DataFrame, said: str
) -> None:
    with pytest.raises(AuditError, match=said):
        of_one_test(of_the_client, of_the_server)


def recorded(folder: Path, side: Side) -> Path:
    folder.mkdir()
    recorder = Recorder(folder, side, segment_bytes=4096)
    recorder.record(Event.TRUNCATED, 0)
    recorder.close()
    return folder


def test_folders_when_they_are_not_what_they_have_to_be_then_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    (file := tmp_path / "file").touch()
    (empty := tmp_path / "empty").mkdir()
    swapped = recorded(tmp_path / "swapped", "client")
    for first, second, said in (
        (tmp_path / "none", file, ["none does not exist; first", "file is no folder; second"]),
        (empty, swapped, ["empty has no ledger in it", "has the client's ledger and not the server's"]),
    ):
        with pytest.raises(AuditError) as refused:
            read_both(first, second)
        assert all(part in str(refused.value) for part in said)


def test_folders_when_a_ledger_is_of_another_version_or_damaged_then_its_file_is_named(tmp_path: Path) -> None:
    good, bad = recorded(tmp_path / "good", "client"), tmp_path / "bad"
    bad.mkdir()
    for header, said in (
        (HEADER.pack(MAGIC, VERSION + 1, RECORD.size, 1, 1), f"is a ledger of version {VERSION + 1}, and this is"),
        (HEADER.pack(b"SOMEELSE", VERSION, RECORD.size, 1, 1), "is no ledger"),
    ):
        (bad / "server-1-1.ledger").write_bytes(header)
        with pytest.raises(LedgerError, match=rf"server-1-1\.ledger {said}"):
            read_both(good, bad)
