"""The comparison: a bench as a process of its own, told what the web UI was told, with what it has printed so far."""

import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from loadtest.brokers import BROKERS
from loadtest.load import Job, flag_of
from loadtest.load.entry import OURS_ALONE
from loadtest.report.manifest import MANIFEST
from loadtest.stack.process import Process, describe_exit
from loadtest.webui.stage.asked import elsewhere_options, is_own
from loadtest.webui.state import ComparisonState

_SHOWN_LINES: Final = 12
_COLOURS: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PROFILE: Final = "quick"
_BENCH: Final = (sys.executable, "-P", "-m", "loadtest.cli", "bench")
"""-P: it runs in the person's folder, and no module is to be taken from there."""


class AskedComparison(BaseModel):
    """What is to be compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: Path | None = None
    """The person's own; None: the quick profile."""
    folder: Path
    """Where the bench runs: relative paths in the plan start there."""
    locustfiles: tuple[Path, ...]
    server: str
    allow_contention: bool = False
    host: str = ""
    """The address of a server elsewhere; empty: the reference app."""
    job: Job
    """With what connections to a server elsewhere are opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Where a comparison runs."""

    out: Path
    """The folder that gets its folder."""
    scratch: Path
    addresses: Mapping[str, str]
    """Those of the user's own brokers, by the broker's name."""
    port: int
    """Of the reference app."""


class Comparison:
    """A bench that runs, or has run."""

    def __init__(self, asked: AskedComparison, around: Around) -> None:
        """Start it. Raises EnvironmentFailed when it cannot be started."""
        self._out, self._log = around.out, around.scratch / "bench.log"
        self._log.unlink(missing_ok=True)
        headers = written_headers(asked.job.header if asked.host else (), around.scratch / "headers")
        options = [f"--out={around.out}", *options_of(asked, around.port, headers)]
        self._command = shlex.join(["channels-loadtest", "bench", *options])
        self._older = _runs(around.out)
        self._found: str | None = None
        env = environment_of(around.addresses, os.environ)
        self._process = Process([*_BENCH, *options], name="the bench", log=self._log, env=env, cwd=asked.folder)

    @property
    def is_running(self) -> bool:
        """Tell whether it still runs."""
        return self._process.alive

    def told(self) -> ComparisonState:
        """Return how it goes, or went."""
        code = self._process.exited
        if code is not None and self._found is None:  # once: later runs in that folder are others
            self._found = self._run()
        return ComparisonState(
            is_running=code is None,
            command=self._command,
            says=_last_lines(self._log),
            ended="" if code is None else describe_exit(code),
            run=self._found or "",
        )

    def stop(self) -> None:
        """End it; what it has measured is kept. May be called again."""
        self._process.stop()

    def _run(self) -> str:
        """Return the name of its folder where a report is in it, else nothing."""
        made = _runs(self._out) - self._older
        return next((folder.name for folder in sorted(made) if (folder / "report.html").exists()), "")


def options_of(asked: AskedComparison, port: int, headers: Path | None) -> list[str]:
    """Return the bench's options but for its folder; headers, which may be secret, are in a file."""
    options = ["--allow-contention"] if asked.allow_contention else []
    options.append(f"--profile={_PROFILE}" if asked.plan is None else f"--plan={asked.plan}")
    if asked.host:
        options += _of_server_elsewhere(elsewhere_options(asked.host, asked.job), headers)
    elif asked.plan is None:
        own = [path for path in asked.locustfiles if is_own(path)]
        options += [f"--servers={asked.server}", f"--port={port}", *(f"--locustfile={path}" for path in own)]
    return options


def _of_server_elsewhere(given: Mapping[str, Any], headers: Path | None) -> Iterator[str]:
    for name, value in given.items():
        match value:
            case _ if name == "header":
                yield f"--header-file={headers}"
            case True:
                yield flag_of(name)
            case tuple():
                yield from (f"{flag_of(name)}={one}" for one in value)
            case _:
                yield f"{flag_of(name)}={value}"


def written_headers(lines: Sequence[str], file: Path) -> Path | None:
    """Write headers where their owner alone may read them; None where there are none."""
    file.unlink(missing_ok=True)
    if not lines:
        return None
    file.touch(OURS_ALONE, exist_ok=False)
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def environment_of(addresses: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    """Return the bench's environment. Addresses of brokers are in it: they may hold passwords."""
    of_brokers = {BROKERS[name].variable: address for name, address in addresses.items()}
    return {**ours, **of_brokers, "NO_COLOR": "1"}


def _last_lines(log: Path) -> tuple[str, ...]:
    text = _COLOURS.sub("", log.read_text(errors="replace")) if log.exists() else ""
    lines = [line.rpartition("\r")[2].rstrip() for line in text.splitlines()]
    return tuple([line for line in lines if line][-_SHOWN_LINES:])


def _runs(out: Path) -> set[Path]:
    """Return the folders of runs; `latest` is one of them by another name."""
    return {manifest.parent for manifest in out.glob(f"*/{MANIFEST}") if not manifest.parent.is_symlink()}
