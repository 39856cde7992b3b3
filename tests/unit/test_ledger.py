"""The ledger: what is recorded is read back, whatever became of the writer or the disk."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from loadtest.ledger import Event, Recorder
from loadtest.ledger.reader import SCHEMA, LedgerError, read_ledger
from loadtest.ledger.record import HEADER, MAGIC, RECORD, TEXT_EVENTS, VERSION

SMALL = HEADER.size + 8 * RECORD.size
"""A segment of seven records and the place that is kept for TRUNCATED."""

TEXT_FREE = Event.RECEIVE_IN


def write(folder: Path, count: int, *, segment_bytes: int = SMALL) -> None:
    recorder = Recorder(folder, "server", segment_bytes=segment_bytes)
    for number in range(1, count + 1):
        recorder.record(TEXT_FREE, connection=number, value=number)
    recorder.close()


def test_ledger_when_it_is_recorded_then_its_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    write(tmp_path, 20)
    os.umask(before)
    assert len(list(tmp_path.iterdir())) > 1
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_ledger_when_read_back_then_every_field_is_as_it_was_recorded(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "client")
    largest = {"connection": 2**64 - 1, "code": 2**16 - 1, "value": 2**64 - 1, "time_ns": 2**62}
    recorder.record(TEXT_FREE, argument=2**32 - 1, **largest)
    recorder.record(Event.PHASE, 0, code=3, time_ns=5)
    recorder.close()
    frame = read_ledger(tmp_path, "client")
    assert frame.schema == SCHEMA
    first, last = frame.to_dicts()
    assert (first["time_ns"], first["event"], first["code"]) == (5, Event.PHASE, 3)
    assert {name: last[name] for name in largest} == largest
    assert (last["argument"], last["text"]) == (2**32 - 1, None)


def test_ledger_when_no_time_is_given_then_it_is_now_and_never_falls(tmp_path: Path) -> None:
    write(tmp_path, 100)
    times = read_ledger(tmp_path, "server")["time_ns"]
    assert min(times) > 0 and times.is_sorted()


def test_ledger_when_records_come_out_of_order_then_it_is_read_by_time_and_ties_stay_as_written(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "server", segment_bytes=SMALL)
    for number in range(1, 31):
        recorder.record(TEXT_FREE, number, time_ns=1000 - number // 3)
    recorder.close()
    frame = read_ledger(tmp_path, "server")
    assert frame["time_ns"].is_sorted()
    assert frame.filter(frame["time_ns"] == 999)["connection"].to_list() == [3, 4, 5]


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 14, 15, 1000])
def test_ledger_when_it_rolls_over_segments_then_nothing_is_lost(tmp_path: Path, count: int) -> None:
    write(tmp_path, count)
    assert read_ledger(tmp_path, "server")["value"].to_list() == list(range(1, count + 1))
    assert len(list(tmp_path.glob("*.ledger"))) == max(1, -(-count // 7))


def test_ledger_when_there_are_more_than_nine_segments_then_they_are_read_in_their_order(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "server", segment_bytes=SMALL)
    for number in range(1, 101):
        recorder.record(TEXT_FREE, number, time_ns=7)  # all ties: only the order of segments can tell
    recorder.close()
    assert read_ledger(tmp_path, "server")["connection"].to_list() == list(range(1, 101))


def test_ledger_when_two_threads_write_then_each_record_is_there_once(tmp_path: Path) -> None:
    recorder, each, threads = Recorder(tmp_path, "server", segment_bytes=SMALL), 3000, 3
    together = threading.Barrier(threads)

    def work(thread: int) -> None:
        together.wait()
        for number in range(each):
            recorder.record(Event.CHANNEL, thread * each + number + 1, argument=recorder.text(f"text {number % 50}"))

    workers = [threading.Thread(target=work, args=(thread,)) for thread in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    recorder.close()
    frame = read_ledger(tmp_path, "server")
    assert sorted(frame["connection"]) == list(range(1, threads * each + 1))
    assert all(text == f"text {(number - 1) % each % 50}" for number, text in frame.select("connection", "text").rows())


def test_texts_when_recorded_then_they_come_back_with_the_events_that_carry_one(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "server")
    texts = ["", "plain", 'with "quotes"\nand lines', "größe 中文 🙂", "\x00\x1f", "plain"]
    for number, text in enumerate(texts, 1):
        recorder.record(Event.CHANNEL, number, argument=recorder.text(text), time_ns=number)
    recorder.record(TEXT_FREE, 99, argument=1, time_ns=99)
    recorder.record(Event.TASK_ENDED, 100, time_ns=100)
    recorder.close()
    frame = read_ledger(tmp_path, "server")
    assert frame["text"].to_list() == [*texts, None, None]
    assert len((tmp_path / next(tmp_path.glob("*.strings"))).read_bytes().splitlines()) == 5


def test_texts_when_one_is_no_valid_unicode_then_the_ledger_is_still_read(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "server")
    recorder.record(Event.SCOPE, 1, argument=recorder.text("/ws/\ud800/"))
    recorder.close()
    assert read_ledger(tmp_path, "server")["text"].to_list() == ["/ws/?/"]


def test_texts_when_the_strings_file_is_cut_off_then_what_is_missing_is_null(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "server")
    for number, text in enumerate(["first", "second", "third"], 1):
        recorder.record(Event.CHANNEL, number, argument=recorder.text(text), time_ns=number)
    recorder.close()
    (strings,) = tmp_path.glob("*.strings")
    strings.write_bytes(strings.read_bytes()[:-3])
    assert read_ledger(tmp_path, "server")["text"].to_list() == ["first", "second", None]
    strings.unlink()
    assert read_ledger(tmp_path, "server")["text"].to_list() == [None] * 3


def test_ledger_when_two_processes_wrote_it_then_each_has_its_own_texts(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from loadtest.ledger import Event, Recorder
recorder = Recorder(Path(sys.argv[1]), "server")
recorder.record(Event.CHANNEL, int(sys.argv[2]), argument=recorder.text(sys.argv[3]))
"""
    runs = [subprocess.Popen([sys.executable, "-c", program, tmp_path, *names]) for names in (("1", "a"), ("2", "b"))]
    assert [run.wait(30) for run in runs] == [0, 0]
    frame = read_ledger(tmp_path, "server").sort("connection")
    assert frame["text"].to_list() == ["a", "b"]
    assert frame["pid"].to_list() == [run.pid for run in runs]
    assert read_ledger(tmp_path, "client").is_empty()


def test_ledger_when_nothing_was_written_then_it_is_an_empty_frame(tmp_path: Path) -> None:
    frame = read_ledger(tmp_path, "server")
    assert frame.is_empty() and frame.schema == SCHEMA


def test_ledger_when_closed_then_what_comes_later_is_forgotten(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "server")
    recorder.record(TEXT_FREE, 1)
    recorder.close()
    recorder.record(TEXT_FREE, 2)
    assert recorder.text("late") == 0
    recorder.close()
    assert read_ledger(tmp_path, "server")["connection"].to_list() == [1]


def test_ledger_when_the_writer_is_killed_then_all_that_it_wrote_is_readable(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from loadtest.ledger import Event, Recorder
recorder = Recorder(Path(sys.argv[1]), "server", segment_bytes=64 + 32 * 100)
for number in range(1, 5001):
    recorder.record(Event.CHANNEL, number, argument=recorder.text(f"channel {number % 7}"))
os.kill(os.getpid(), signal.SIGKILL)
"""
    run = subprocess.run([sys.executable, "-c", program, tmp_path], timeout=30, check=False)
    assert run.returncode == -signal.SIGKILL
    frame = read_ledger(tmp_path, "server")
    assert frame["connection"].to_list() == list(range(1, 5001))
    assert frame["text"].to_list() == [f"channel {number % 7}" for number in range(1, 5001)]


@pytest.mark.parametrize("size", [0, 10, SMALL])
def test_ledger_when_the_writer_was_killed_while_it_opened_a_segment_then_the_others_are_readable(
    tmp_path: Path, size: int
) -> None:
    write(tmp_path, 7)
    (segment,) = tmp_path.glob("*.ledger")
    segment.with_name(segment.name.replace("-1.", "-2.")).write_bytes(bytes(size))
    assert len(read_ledger(tmp_path, "server")) == 7


def test_ledger_when_the_writer_was_killed_in_the_middle_of_a_record_then_that_one_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, 3)
    (segment,) = tmp_path.glob("*.ledger")
    data = bytearray(segment.read_bytes())
    second = HEADER.size + RECORD.size
    data[second + 24 : second + RECORD.size] = bytes(8)  # the event is written last
    segment.write_bytes(data)
    assert read_ledger(tmp_path, "server")["connection"].to_list() == [1, 3]


def test_ledger_when_a_segment_is_cut_off_then_its_whole_records_are_readable(tmp_path: Path) -> None:
    write(tmp_path, 5)
    (segment,) = tmp_path.glob("*.ledger")
    segment.write_bytes(segment.read_bytes()[: HEADER.size + 2 * RECORD.size + 11])
    assert read_ledger(tmp_path, "server")["connection"].to_list() == [1, 2]


@pytest.mark.parametrize(
    "header",
    [
        HEADER.pack(MAGIC, VERSION + 1, RECORD.size, 1, 1),
        HEADER.pack(b"SOMEELSE", VERSION, RECORD.size, 1, 1),
        HEADER.pack(MAGIC, VERSION, RECORD.size + 8, 1, 1),
        MAGIC,
    ],
)
def test_ledger_when_it_is_not_ours_or_of_another_version_then_it_is_refused(tmp_path: Path, header: bytes) -> None:
    (tmp_path / "server-1-1.ledger").write_bytes(header)
    with pytest.raises(LedgerError, match=r"server-1-1\.ledger"):
        read_ledger(tmp_path, "server")


FULL_DISK = """
import resource, sys
from pathlib import Path
from loadtest.ledger import Event, Recorder
room, segment_bytes, texts = (int(argument) for argument in sys.argv[2:])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
recorder = Recorder(Path(sys.argv[1]), "server", segment_bytes=segment_bytes)
resource.setrlimit(resource.RLIMIT_FSIZE, (min(room, texts), room))  # from now on no segment can be made
for number in range(1, 1001):
    recorder.record(Event.CHANNEL, number, argument=recorder.text(f"channel {number}"))
recorder.close()
print("recorded")
"""


def run_on_full_disk(folder: Path, *, room: int, texts: int = 0) -> subprocess.CompletedProcess[str]:
    """Write 1000 records where files may have `room` bytes, and `texts` from after the first segment on."""
    return subprocess.run(
        [sys.executable, "-c", FULL_DISK, folder, str(room), str(SMALL), str(texts)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_recorder_when_the_disk_is_full_from_the_start_then_it_raises_and_leaves_no_segment(tmp_path: Path) -> None:
    run = run_on_full_disk(tmp_path, room=SMALL - 1)
    assert run.returncode == 1
    assert "OSError" in run.stderr and "recorded" not in run.stdout
    assert not list(tmp_path.glob("*.ledger"))


def test_recorder_when_the_disk_fills_up_later_then_truncated_is_the_last_record_and_the_writer_lives(
    tmp_path: Path,
) -> None:
    run = run_on_full_disk(tmp_path, room=SMALL)
    assert (run.returncode, run.stdout) == (0, "recorded\n"), run.stderr
    frame = read_ledger(tmp_path, "server")
    assert frame["event"].to_list() == [Event.CHANNEL] * 7 + [Event.TRUNCATED]
    assert frame["connection"].to_list()[:-1] == list(range(1, 8))


def test_texts_when_the_disk_fills_up_in_the_middle_of_a_line_then_the_numbers_of_the_others_stay_right(
    tmp_path: Path,
) -> None:
    line = len('"channel 1"\n')
    run = run_on_full_disk(tmp_path, room=SMALL, texts=3 * line + 5)
    assert (run.returncode, run.stdout) == (0, "recorded\n"), run.stderr
    wanted = ["channel 1", "channel 2", "channel 3", None, None, None, None, None]
    assert read_ledger(tmp_path, "server")["text"].to_list() == wanted


def test_recorder_when_the_folder_is_missing_then_it_raises(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        Recorder(tmp_path / "nowhere", "server")


def test_recorder_when_a_field_is_out_of_range_then_it_raises_and_the_others_are_readable(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, "server")
    recorder.record(TEXT_FREE, 1)
    for field in ("connection", "code", "argument", "value"):
        with pytest.raises(Exception, match=r"format|range|int"):
            recorder.record(**{"event": TEXT_FREE, "connection": 2, field: -1})
    recorder.record(TEXT_FREE, 3)
    recorder.close()
    assert read_ledger(tmp_path, "server")["connection"].to_list() == [1, 3]


def test_events_when_numbered_then_they_fit_their_byte_and_texts_are_named(tmp_path: Path) -> None:
    assert all(0 < event < 256 for event in Event)
    assert set(Event) >= TEXT_EVENTS
    assert (HEADER.size, RECORD.size) == (64, 32)
