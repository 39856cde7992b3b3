"""Validity: whether a trial's figures are about the server, or about the rig that measured it.

On one machine client and server share the cores: a saturated generator falsifies latency and delivery both ways.
"""

from loadtest.checks.records import TrialRecords, Window
from loadtest.checks.validity.gate import Gate
from loadtest.checks.validity.generator import generator_was_busy, generator_was_late
from loadtest.checks.validity.hub import hub_was_held, hub_was_starved, sends_were_late
from loadtest.checks.validity.ledgers import ledger_was_cut
from loadtest.checks.validity.limits import generator_ran_out, server_ran_out
from loadtest.checks.validity.machine import (
    cpus_were_contended,
    cpus_were_stolen,
    cpus_were_throttled,
    machine_slept,
    wall_clock_was_set,
)
from loadtest.checks.validity.members import not_all_users_opened

GATES = (
    Gate(name="generator CPU", closed_because=generator_was_busy),
    Gate(name="generator lag", closed_because=generator_was_late),
    Gate(name="generator held up", closed_because=hub_was_held),
    Gate(name="late sends", closed_because=sends_were_late, is_contention=True),
    Gate(name="generator without a CPU", closed_because=hub_was_starved, is_contention=True),
    Gate(name="members", closed_because=not_all_users_opened),
    Gate(name="ports and files", closed_because=generator_ran_out),
    Gate(name="files of the server", closed_because=server_ran_out),
    Gate(name="contention", closed_because=cpus_were_contended, is_contention=True),
    Gate(name="steal", closed_because=cpus_were_stolen, is_contention=True),
    Gate(name="throttling", closed_because=cpus_were_throttled, is_contention=True),
    Gate(name="wall clock", closed_because=wall_clock_was_set),
    Gate(name="sleep", closed_because=machine_slept),
    Gate(name="ledgers", closed_because=ledger_was_cut),
)
"""In the order in which their reasons are told."""


def invalid_because(trial: TrialRecords, window: Window) -> list[str]:
    """Return why the trial is not valid; empty when it is."""
    gates = [gate for gate in GATES if not (gate.is_contention and trial.allow_contention)]
    reasons = (gate.closed_because(trial, window) for gate in gates)
    return [reason for reason in reasons if reason is not None]


__all__ = ["GATES", "Gate", "invalid_because"]
