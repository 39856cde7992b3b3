"""A bench as a person starts it: a process of its own, with its own temporary folder, and a mark on all it starts."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl
import psutil

from loadtest.cli.exit_codes import NOT_VALID
from tests.again import again_until
from tests.live.forked import Forked

COMMAND = Path(sys.executable).with_name("channels-loadtest")
MARK = "MARK_OF_A_TEST"
"""In the environment of a bench and of all that it starts: what carries it when the bench has ended is an orphan."""

BESIDE_OTHERS = ("--no-pin", "--allow-contention")
"""Test files run two at a time: pinned, two benches would have the same CPUs, and each disturbs the other."""

ENDS_S = 120.0
"""The benches of these tests take seconds; one that takes two minutes on a busy machine hangs."""


class Bench:
    """`channels-loadtest ...` in a process group of its own, to be waited for, signalled and looked at."""

    def __init__(
        self,
        *arguments: str | Path,
        program: str | Path = COMMAND,
        env: Mapping[str, str] | None = None,
        before: Callable[[], None] | None = None,
        cwd: Path | None = None,
        beside_others: bool = True,
        anew: bool = False,
    ) -> None:
        """Start it with `env` added to its environment; `before` is called in the new process.

        A new bench gets the options for running beside other tests, unless it is not to be `beside_others`. Our
        command is forked from a process that has imported it, unless it is to be started `anew`.
        """
        is_new_bench = {"bench", "capacity"} & set(arguments) and "--resume" not in arguments
        options = BESIDE_OTHERS if beside_others and is_new_bench else ()
        self.mark = uuid.uuid4().hex
        self.temporary = Path(tempfile.mkdtemp(prefix="bench-"))  # short: Unix sockets come into it
        self._out = self.temporary / "out"
        self._err = self.temporary / "err"
        for file in (self._out, self._err):
            file.touch()  # a process that is forked makes them a moment later
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "LOADTEST_"))}
        kept.pop("DATABASE_URL", None)
        self._command = [program, *arguments, *options]
        self._env = {**kept, MARK: self.mark, "TMPDIR": str(self.temporary), **(env or {})}
        self._before, self._cwd = before, cwd
        self._is_forked = program == COMMAND and before is None and not anew
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes] | Forked:
        if self._is_forked:
            return Forked(self._command, env=self._env, cwd=self._cwd, out=self._out, err=self._err)
        with self._out.open("wb") as out, self._err.open("wb") as err:
            return subprocess.Popen(
                self._command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=self._before,
                cwd=self._cwd,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.temporary, ignore_errors=True)

    @property
    def out(self) -> str:
        """What it has printed so far."""
        return self._out.read_text()

    @property
    def err(self) -> str:
        """Its messages so far."""
        return self._err.read_text()

    def ended(self) -> int:
        """Wait until it has ended; return its exit code."""
        try:
            return self.process.wait(ENDS_S)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            raise AssertionError(f"it has not ended after {ENDS_S:.0f} s:\n{self.out}\n{self.err}") from None

    def ended_valid(self) -> int:
        """Wait until it has ended, and run it again where its figures were about the machine; return its exit code.

        For tests of what a trial finds: beside other tests, or on a machine that others use too, a generator may be
        held up for a moment, and then two seconds do not count.
        """
        return again_until(lambda code: code != NOT_VALID, self._ended_anew)

    def _ended_anew(self, number: int) -> int:
        if number:
            self.process = self._start()
        return self.ended()

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until a condition holds while it runs."""
        deadline = time.monotonic() + ENDS_S
        while not condition():
            assert self.process.poll() is None, f"it ended too early:\n{self.out}\n{self.err}"
            assert time.monotonic() < deadline, f"the condition did not come true:\n{self.out}\n{self.err}"
            time.sleep(0.01)

    def started(self, word: str) -> list[int]:
        """Return the pids of the processes it started that have the word in their command line."""
        return [process.pid for process in self._marked() if word in " ".join(_command_line(process))]

    def orphans(self) -> list[str]:
        """Return the command lines of what it started and has not ended; to be asked when it has ended itself."""
        return [" ".join(_command_line(process)) for process in self._marked() if process.pid != self.process.pid]

    def left_behind(self) -> list[str]:
        """Return the names in its temporary folder but the lock, which stays, and what we put there."""
        return sorted({path.name for path in self.temporary.iterdir()} - {"channels-loadtest.lock", "out", "err"})

    def _marked(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        """By the mark, or by its working folder: Valkey writes its title over its environment."""
        try:
            marked = process.environ().get(MARK) == self.mark or process.cwd().startswith(f"{self.temporary}/")
            is_ours: bool = marked and process.status() != psutil.STATUS_ZOMBIE
            return is_ours
        except (psutil.Error, OSError):
            return False


def _command_line(process: psutil.Process) -> list[str]:
    try:
        words: list[str] = process.cmdline()
        return words
    except psutil.Error:
        return []


def assert_clear(bench: Bench, message: str) -> None:
    """Check that a failed bench said what was wrong once, in our words, and left nothing running or lying about."""
    assert len(re.findall(message, bench.err)) == 1, bench.err
    assert bench.err.startswith("channels-loadtest: ")
    assert bench.err.count("channels-loadtest: ") == 1
    assert_tidy(bench)


def assert_tidy(bench: Bench) -> None:
    """Check that there is no traceback of ours, no process and no temporary file left."""
    assert not re.search(r"^Traceback", bench.out + bench.err, re.MULTILINE), bench.out + bench.err
    assert bench.orphans() == []
    assert bench.left_behind() == []


def manifest(run: Path) -> dict[str, Any]:
    """Return a run's manifest."""
    found: dict[str, Any] = json.loads((run / "manifest.json").read_text())
    return found


def table(run: Path, name: str) -> pl.DataFrame:
    """Return a run's table."""
    return pl.read_csv(run / f"{name}.csv")


def may_be_lost(run: Path, room_size: int, *consumers: str) -> int:
    """Return how many messages consumers, all or these, may have lost: those that were held as a disconnect was missed.

    Such a consumer has taken a message and ends before it passes it on to its room, where sending to its own client,
    now gone, raises (django/channels#1466). Nothing else may lose one.
    """
    rows = table(run, "disconnects")
    of_it = rows.filter(pl.col("consumer").is_in(consumers)) if consumers else rows
    return int(of_it["missed"].sum()) * room_size
