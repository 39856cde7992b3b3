"""The bare layer: what a channel layer keeps of channels when no consumer has a part in it."""

import sys
from collections.abc import Mapping
from pathlib import Path

from loadtest.brokers import broker_of
from loadtest.checks.residue.audit import left_by_kind
from loadtest.checks.residue.kinds import KEPT_BY_LAYER, MEMORY
from loadtest.contract import ProcessResidue, read_answer
from loadtest.layers import LAYERS, new_prefix
from loadtest.selftest.cases import Case
from loadtest.selftest.expected import MEMORY_NOISE_KB
from loadtest.selftest.verdicts import Outcome
from loadtest.shipped import SHIPPED
from loadtest.stack.errors import EnvironmentFailed
from loadtest.stack.process import Process, describe_exit
from loadtest.targets.reference import reference_environment

CHANNELS = 20
DEADLINE_S = 60.0
"""It takes a second; this is for a machine that is very busy."""

NO_DATABASE = "sqlite:///:memory:"


def run_bare_layer(case: Case, folder: Path, addresses: Mapping[str, str]) -> Outcome:
    """Have channels come and go without consumers; only what is charged to the layer may be left.

    Raises EnvironmentFailed when the layer cannot be used.
    """
    before, idle, busy = _readings(case.layer, folder, addresses)
    kept_idle, kept_busy = _left(before, idle), _left(idle, busy)
    alarms = [
        f"{kind} {count}, must be 0"
        for left in (kept_idle, kept_busy)
        for kind, count in left.items()
        if kind not in KEPT_BY_LAYER and (count is None or count > (MEMORY_NOISE_KB if kind == MEMORY else 0))
    ]
    if alarms:
        return Outcome(case=case, verdict="false alarm", says=tuple(alarms))
    says = (f"of {CHANNELS} channels it keeps {_kept(kept_idle)}", f"when they were spoken to: {_kept(kept_busy)}")
    return Outcome(case=case, verdict="clean", says=says)


def _readings(
    layer: str, folder: Path, addresses: Mapping[str, str]
) -> tuple[ProcessResidue, ProcessResidue, ProcessResidue]:
    """Run the program that makes the channels, and return what it held before, after idle and after busy ones."""
    row, prefix, file = LAYERS[layer], new_prefix(), folder / "bare-layer.jsonl"
    with broker_of(row, addresses, folder) as broker:
        try:
            _run(row.setting(broker_url=broker.url if broker else None, prefix=prefix), file)
        finally:
            if broker is not None:
                broker.forget(prefix)
    before, idle, busy = (read_answer(line, ProcessResidue) for line in file.read_bytes().splitlines())
    return before, idle, busy


def _run(setting: dict[str, object], file: Path) -> None:
    env = reference_environment(setting) | {"DATABASE_URL": NO_DATABASE}
    command = [sys.executable, "-m", "target_app.bare_layer", str(CHANNELS), str(file)]
    with Process(command, name="bare layer", log=file.with_suffix(".log"), env=env, cwd=SHIPPED) as process:
        code = process.wait(DEADLINE_S)
        if code != 0:
            ended = f"had not ended after {DEADLINE_S:g} s" if code is None else f"ended with {describe_exit(code)}"
            raise EnvironmentFailed(f"the bare layer's process {ended}; its last lines:\n{process.log_tail()}")


def _left(before: ProcessResidue, after: ProcessResidue) -> dict[str, int | None]:
    """Count what is left; all channels have gone, so everything that is named like one is nobody's."""
    names = frozenset((*(after.queues or ()), *(after.subscriptions or ())))
    left = left_by_kind((before,), (after,), names)
    del left["presence rows"]  # there is no database
    return left


def _kept(left: dict[str, int | None]) -> str:
    kept = [f"{left[kind]} {kind}" for kind in sorted(KEPT_BY_LAYER) if left[kind]]
    return ", ".join(kept) or "nothing"
