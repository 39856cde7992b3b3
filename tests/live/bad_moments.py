"""Bad moments: something dies, stands still, is full or is gone at a random instant of a short bench, by a seed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.live.bench_process import Bench

AFTER: Final = {
    "the start": "",
    "the manifest": "*/manifest.json",
    "the server's start": "*/trials/*/1/server.log",
    "the first users": "*/trials/*/1/ledger/client-*.ledger",
    "the first trial": "*/trials/*/2",
    "the second users": "*/trials/*/2/ledger/client-*.ledger",
}
"""Steps of a bench of two trials, each by what is then in --out: an instant is some time after one of them."""
LONGEST_S: Final = 2.0
"""From one step to the next it is about as long."""
WORDS: Final = {"bench": "", "generator": "-m locust", "server": "target_app.asgi", "broker": "valkey-server"}
"""Whom something happens to, by a word of its command line."""
HAPPENS: Final = (
    *((who, what) for who in WORDS for what in ("SIGINT", "SIGTERM", "SIGKILL", "a pause")),
    *((who, "a freeze") for who in ("generator", "server", "broker")),
    ("bench", "SIGHUP"),
    ("bench", "SIGINT twice"),
    ("disk", "no room"),
    ("folder", "gone"),
)
ENDED: Final = (0, 3)
"""Exit codes of a bench that went on to its end; its figures may have been about the machine."""
_FOR_BENCH: Final[dict[str, tuple[int, ...]]] = {"SIGKILL": (-signal.SIGKILL,), "a pause": ()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What happens, to whom and when."""

    number: int
    who: str
    what: str
    after: str
    delay_s: float

    def __str__(self) -> str:
        """Return a name for a test: "017-server-SIGKILL"."""
        return f"{self.number:03}-{self.who}-{self.what.replace(' ', '-')}"

    @property
    def codes(self) -> tuple[int, ...]:
        """The exit codes that the bench may end with; the moment may come too late for any harm."""
        if self.who == "bench":
            return (*ENDED, *_FOR_BENCH.get(self.what, (130,)))
        return (*ENDED, 4)

    @property
    def wait_in_shell(self) -> str:
        """A line that returns at the instant, where `$1` is --out."""
        return f'until ls -d "$1"/{AFTER[self.after]}; do sleep 0.02; done; sleep {self.delay_s}'


def moments(count: int) -> list[Moment]:
    """Return the first moments there are; each is the same in every run."""
    return [_moment(number) for number in range(count)]


def _moment(number: int) -> Moment:
    chance = random.Random(f"bad moment {number}")
    who, what = HAPPENS[number % len(HAPPENS)]
    delay_s = round(chance.uniform(0, LONGEST_S), 3)
    return Moment(number=number, who=who, what=what, after=chance.choice([*AFTER]), delay_s=delay_s)


def let_happen(moment: Moment, bench: Bench, out: Path) -> None:
    """Wait for the instant, and let it happen; nothing does where the bench has ended by then."""
    step = AFTER[moment.after]
    if step and not _until(bench, lambda: any(out.glob(step))):
        return
    time.sleep(moment.delay_s)
    if moment.who == "folder":
        for run in out.glob("2*"):
            shutil.rmtree(run, ignore_errors=True)
    elif moment.who == "bench":
        _signal(moment.what, [bench.process.pid])
    elif _until(bench, lambda: bench.started(WORDS[moment.who])):
        _signal(moment.what, bench.started(WORDS[moment.who]))


def _until(bench: Bench, condition: Callable[[], object]) -> bool:
    """Wait for a condition; tell whether it came true before the bench ended."""
    while not condition():
        if bench.process.poll() is not None:
            return False
        time.sleep(0.01)
    return bench.process.poll() is None


def _signal(what: str, pids: list[int]) -> None:
    match what.split():
        case [_, "pause"]:
            _send(signal.SIGSTOP, pids)
            time.sleep(0.5)
            _send(signal.SIGCONT, pids)
        case [_, "freeze"]:
            _send(signal.SIGSTOP, pids)
        case [name, "twice"]:
            _send(signal.Signals[name], pids)
            time.sleep(0.1)
            _send(signal.Signals[name], pids)
        case [name]:
            _send(signal.Signals[name], pids)


def _send(number: signal.Signals, pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def mounting(folder: Path) -> list[str] | str:
    """Return the beginning of a command that runs a script with a disk of $SIZE in $1, or why there can be none."""
    folder.mkdir()
    if not shutil.which("unshare"):
        return "no unshare here, so no small disk can be made"
    mount = 'mount -t tmpfs -o size=$SIZE none "$1" && eval "$2"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh", str(folder)]
    tried = subprocess.run([*command, "true"], env={**os.environ, "SIZE": "1m"}, capture_output=True, text=True)
    return command if tried.returncode == 0 else f"no small disk can be mounted here: {tried.stderr.strip()}"
