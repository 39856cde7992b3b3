"""`make perf`: our wire, picows and plain Locust in turn against one fast server; ratios printed, figures stored.

Options: --rounds N (each client's turns, 3; of the rig 6; of the probe 16 sets of servers), --seconds S (an echo's
window, 2), --out FOLDER (results/perf), --only NAME: one measure; "rig" for the locustfiles as they are run, or one of
"rig echo", "rig broadcast", "rig churn"; "probe" for the probe's cost, "pinning" for what pinning does, "audit" for the
audit's cost, "handshake" for that of an opening handshake.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib.metadata
import io
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from tests.perf import audit_cost, handshakes, pinning_gain, probe_cost, rig
from tests.perf.measures import AUDIT, CLIENTS, MEASURES, TARGETS, WIRE, WIRE_STATISTICS, Measure, Target

FORMAT = 1
ROUNDS = 3
PATIENCE_S = 180.0
NEEDED_FILES = 15_200
PACKAGES = ("gevent", "greenlet", "locust", "websocket-client", "websockets", "picows", "uvloop")
PROBE = "probe"
PINNING = "pinning"
HANDSHAKE = "handshake"

Figures = dict[str, dict[str, dict[str, float]]]
"""By measure, client and figure: the median of the rounds."""


def main() -> int:
    given = arguments()
    raise_file_limit()
    now = datetime.datetime.now(datetime.UTC)
    stem = Path(given.out) / f"{now:%Y%m%dT%H%M%SZ}"
    stem.parent.mkdir(parents=True, exist_ok=True)
    with stem.with_suffix(".txt").open("w", encoding="utf-8") as file, contextlib.redirect_stdout(Both(file)):
        measure_all(given, now, stem.with_suffix(".json"))
    return 0


class Both(io.TextIOBase):
    """Prints on the terminal, and into a file that is kept."""

    def __init__(self, file: TextIO) -> None:
        self._outputs = (sys.stdout, file)

    def write(self, text: str) -> int:
        for output in self._outputs:
            output.write(text)
        return len(text)

    def flush(self) -> None:
        for output in self._outputs:
            output.flush()


def measure_all(given: argparse.Namespace, now: datetime.datetime, path: Path) -> None:
    figures: Figures = {}
    rounds: list[dict[str, Any]] = []
    chosen = [measure for measure in MEASURES if given.only in (None, measure.name)]
    if chosen:
        with echo_server() as url:
            for measure in chosen:
                turns = rounds_of(measure, url, 1 if measure.once else given.rounds or ROUNDS, given.seconds)
                rounds += turns
                figures[measure.name] = medians(turns)
                print_measure(measure, figures[measure.name])
    for row in rig.ROWS:
        if given.only in (None, rig.RIG, row.name):
            figures[row.name], turns = rig.measure(row, given.rounds or rig.ROUNDS, given.seconds)
            rounds += turns
    if given.only in (None, HANDSHAKE):
        figures[HANDSHAKE] = handshakes.main()
    if given.only in (None, AUDIT):
        figures[AUDIT] = {AUDIT: audit_cost.main()}
    verdicts = [verdict(target, figures) for target in TARGETS if target.measure in figures]
    print("\n".join(["", *(line["says"] for line in verdicts)]))
    found: dict[str, Any] = {"figures": figures, "targets": verdicts, "rounds": rounds}
    try:
        probe = partial(probe_cost.main, given.rounds or probe_cost.SETS)
        for name, main_of in ((PROBE, probe), (PINNING, pinning_gain.main)):
            found[name] = main_of() if given.only in (None, name) else None
    finally:
        store(path, now, found)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.perf")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", choices=names())
    parser.add_argument("--out", default="results/perf")
    return parser.parse_args()


def names() -> list[str]:
    rigs = (rig.RIG, *(row.name for row in rig.ROWS))
    return [*(measure.name for measure in MEASURES), *rigs, PROBE, PINNING, AUDIT, HANDSHAKE]


def raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < NEEDED_FILES:
        sys.exit(f"15,000 connections need {NEEDED_FILES} open files, the hard limit is {hard}; raise it (ulimit -Hn)")
    if soft < NEEDED_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (NEEDED_FILES, hard))


@contextlib.contextmanager
def echo_server() -> Iterator[str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.perf.server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None and server.stdout is not None
    try:
        yield f"ws://127.0.0.1:{int(server.stdout.readline())}/"
    finally:
        server.stdin.close()
        server.terminate()
        server.wait()


def rounds_of(measure: Measure, url: str, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Each client in turn, and that so often: what disturbs the machine for a while disturbs them all."""
    found: list[dict[str, Any]] = []
    for number in range(rounds):
        for client in measure.clients:
            load = os.getloadavg()[0]
            figures = run_client(measure, client, url, seconds)
            found.append({"measure": measure.name, "client": client, "round": number, "load": load, **figures})
    return found


def run_client(measure: Measure, client: str, url: str, seconds: float) -> dict[str, float]:
    module, *options = CLIENTS[client]
    command = [sys.executable, "-m", module, measure.scenario, url, *options]
    command += ["--connections", str(measure.connections), "--payload", str(measure.payload_bytes)]
    command += ["--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode:
        sys.exit(f"the client {client} failed in the measure {measure.name}:\n{done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def medians(found: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    clients = dict.fromkeys(one["client"] for one in found)
    names = [name for name in found[0] if name not in ("measure", "client", "round", "load")]
    return {
        client: {name: statistics.median(one[name] for one in found if one["client"] == client) for name in names}
        for client in clients
    }


def print_measure(measure: Measure, figures: dict[str, dict[str, float]]) -> None:
    ours = next(client for client in (WIRE_STATISTICS, WIRE) if client in figures)
    print(f"\n{measure.name}")
    for client, values in figures.items():
        ratio = values[measure.figure] / figures[ours][measure.figure]
        shown = "  ".join(f"{name} {value:,.1f}" for name, value in values.items() if name != "count")
        print(f"  {client:16} {shown}  ({ratio:.2f} × {ours})", flush=True)


def verdict(target: Target, figures: Figures) -> dict[str, Any]:
    value = figures[target.measure][target.client][target.figure]
    what = f"{target.measure}: {target.client} {target.figure}"
    if target.times:
        value /= figures[target.measure][target.times][target.figure]
        what += f" / {target.times}"
    met = value >= target.bound if target.at_least else value <= target.bound
    relation = "at least" if target.at_least else "at most"
    says = f"{'met   ' if met else 'MISSED'} {what} = {value:,.2f} ({relation} {target.bound:,})"
    return {"measure": target.measure, "value": value, "bound": target.bound, "met": met, "says": says}


def store(path: Path, now: datetime.datetime, found: dict[str, Any]) -> None:
    path.write_text(
        json.dumps({"format": FORMAT, "measured_at": now.isoformat(), **machine(), **found}, indent=1) + "\n"
    )
    print(f"\nstored in {path}")


def machine() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "cpu": processor(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    sys.exit(main())
