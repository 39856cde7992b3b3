"""An awaited job: whoever reads it waits until it is given, before and after that it can be read again and again."""

from __future__ import annotations

import threading
from pathlib import Path

from loadtest.bench.awaited_job import AwaitedJob, job_text
from loadtest.load import Job

JOB = Job(consumer="sync").at("ws://127.0.0.1:8000")


class Reader(threading.Thread):
    """Reads a path, as a generator does; `read` has what was there."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._path = path
        self.read = ""
        self.start()

    def run(self) -> None:
        self.read = self._path.read_text()


def test_job_when_it_is_read_before_it_is_given_then_the_reader_waits_for_it(tmp_path: Path) -> None:
    with AwaitedJob(tmp_path / "job") as awaited:
        reader = Reader(awaited.path)
        awaited.give(JOB)
        reader.join(10)
    assert not reader.is_alive()
    assert reader.read == job_text(JOB)


def test_job_when_it_was_given_then_it_can_be_read_any_number_of_times(tmp_path: Path) -> None:
    with AwaitedJob(tmp_path / "job") as awaited:
        awaited.give(JOB)
        assert [awaited.path.read_text() for _ in range(3)] == [job_text(JOB)] * 3
    assert Job.model_validate_json(awaited.path.read_text()) == JOB


def test_job_when_it_is_never_given_then_nobody_waits_for_it_any_longer(tmp_path: Path) -> None:
    with AwaitedJob(tmp_path / "job") as awaited:
        descriptor = awaited.path.open("rb")  # it is being read by now, and nothing has come
    assert descriptor.read() == b""
    descriptor.close()
