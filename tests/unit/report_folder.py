"""A made-up results folder for the tests of the report: no figure in it was ever measured."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loadtest.checks.dropped import HANDLER_BUSY, NOT_NOTICED, SEND_RAISED
from loadtest.report.columns import FORMAT_VERSION, KEY_NAMES, TABLES
from loadtest.report.csv_files import read_tables, write_csv
from loadtest.report.html import write_page
from loadtest.report.manifest import read_manifest
from loadtest.report.summary import summarise
from loadtest.report.tables import Tables

LAYERS = ("inmemory", "redis", "redis-pubsub")
CONSUMERS = ("sync", "async")
SCENARIOS = ("echo", "broadcast", "churn")
DROPS = ("close", "fin", "rst", "midframe")
TRIALS = 3

INVALID = ("redis", "async", "echo", 2)
FAILED = ("redis-pubsub", "sync", "broadcast", 3)
UNKNOWN = ("redis-pubsub", "async", "churn", 1)

FIRST_CONNECTION = 16_777_216
"""Connections have such ids in real runs."""

Row = dict[str, Any]


def write_folder(
    folder: Path,
    *,
    consumers: Sequence[str] = CONSUMERS,
    layers: Sequence[str] = LAYERS,
    scenarios: Sequence[str] = SCENARIOS,
    trials: int = TRIALS,
    state: str = "finished",
) -> Path:
    """Write CSVs and manifest of an invented run; the same arguments give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = invented_tables(consumers=consumers, layers=layers, scenarios=scenarios, trials=trials)
    write_csv(tables, folder)
    manifest = invented_manifest(state=state, done=tables.frame("throughput").height)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def write_html(folder: Path) -> None:
    """Write report.html into a run's folder, from its own files."""
    tables = read_tables(folder)
    write_page(folder, tables, summarise(tables, read_manifest(folder)))


def invented_tables(
    *,
    consumers: Sequence[str] = CONSUMERS,
    layers: Sequence[str] = LAYERS,
    scenarios: Sequence[str] = SCENARIOS,
    trials: int = TRIALS,
) -> Tables:
    """Tables with nulls, an invalid trial, a failed one (no rows), mixed drops, misses, losses and residue.

    Each row of disconnects sums up rows of drops.
    """
    chance = random.Random(7)
    rows: dict[str, list[Row]] = {name: [] for name in TABLES}
    for trial in range(1, trials + 1):
        for scenario in scenarios:
            for layer in layers:
                for consumer in consumers:
                    if (layer, consumer, scenario, trial) != FAILED:
                        _add_trial(rows, key_row(layer, consumer, scenario, trial), chance)
    return Tables.from_rows(rows)


def key_row(
    layer: str = "redis",
    consumer: str = "sync",
    scenario: str = "echo",
    trial: int = 1,
    drop: str = "",
    load: str = "fixed",
) -> Row:
    """The key columns of one trial."""
    return {
        "server": "uvicorn",
        "workers": 1,
        "layer": layer,
        "consumer": consumer,
        "scenario": scenario,
        "drop": drop or ("mixed" if scenario == "churn" else "none"),
        "load": load,
        "trial": trial,
    }


def invented_manifest(*, state: str = "finished", done: int = 53) -> Row:
    """A manifest whose failed and invalid trials fit `invented_tables`."""
    return {
        "format": FORMAT_VERSION,
        "name": "invented",
        "started_utc": "2026-01-02T03:04:05Z",
        "finished_utc": "2026-01-02T03:11:58Z" if state == "finished" else None,
        "state": state,
        "command": "channels-loadtest bench --profile quick",
        "plan": {
            "profile": "quick",
            "consumers": list(CONSUMERS),
            "layers": list(LAYERS),
            "scenarios": list(SCENARIOS),
            "drops": list(DROPS),
            "users": 50,
            "rate": 20.0,
            "duration_s": 4.0,
            "trials": TRIALS,
            "seed": 1,
        },
        "versions": {"channels": "4.3.2", "django": "5.2.8", "uvicorn": "0.54.0", "locust": "2.47.0"},
        "machine": {"cpu": "Imaginary 9000", "cores": 2, "memory_gb": 7.8, "kernel": "6.1", "python": "3.11.9"},
        "limits": {"open_files": 20000},
        "git_revision": "0123abc",
        "planned": 54,
        "done": done,
        "failed": [_troubled(FAILED, "the server did not answer within 20 s of its start")],
        "invalid": [_troubled(INVALID, "the generator used 97 % of a core")],
        "notes": ["quick profile: one churn trial mixes all drop kinds"],
    }


def _troubled(place: tuple[str, str, str, int], why: str) -> Row:
    layer, consumer, scenario, trial = place
    cell = key_row(layer, consumer, scenario)
    cell.pop("trial")
    return {"cell": cell, "trial": trial, "why": why}


def _add_trial(rows: dict[str, list[Row]], key: Row, chance: random.Random) -> None:
    per_s = _messages_per_s(key) * chance.uniform(0.97, 1.03)
    p50 = (1.2 if key["consumer"].startswith("async") else 2.1) * chance.uniform(0.95, 1.05) * _layer_cost(key)
    rows["throughput"].append(_throughput_row(key, per_s, p50, chance))
    rows["residue"] += _residue_rows(key, chance)
    rows["timeline"] += _timeline_rows(key, per_s, p50, chance)
    if key["scenario"] == "churn":
        for place, drop in enumerate(DROPS):
            dropped = drop_rows({**key, "drop": drop}, chance, first=FIRST_CONNECTION + 100 * place)
            rows["drops"] += dropped
            rows["disconnects"].append(disconnect_row(dropped))
    if key["scenario"] != "echo":
        rows["delivery"].append(_delivery_row(key, per_s, chance))
    if _place(key) == UNKNOWN:
        why = "the server ended before it had settled"
        rows["unknown"] += [{**key, "drop": "rst", "column": name, "why": why} for name in ("unknown", "groups_left")]
        rows["unknown"].append({**key, "column": "lost", "why": "the receivers' ledger was cut short"})


def _place(key: Row) -> tuple[str, str, str, int]:
    return key["layer"], key["consumer"], key["scenario"], key["trial"]


def _layer_cost(key: Row) -> float:
    return {"inmemory": 1.0, "redis": 1.9, "redis-pubsub": 1.6}.get(key["layer"], 2.5)


def _messages_per_s(key: Row) -> float:
    if key["scenario"] != "echo":
        return 4000.0 if key["scenario"] == "broadcast" else 3600.0
    slowed: float = _layer_cost(key) ** 0.1
    return (5200.0 if key["consumer"].startswith("async") else 3100.0) / slowed


def _throughput_row(key: Row, per_s: float, p50: float, chance: random.Random) -> Row:
    return {
        **key,
        "users": 50,
        "sent": int(per_s * 4),
        "received": int(per_s * 4),
        "duration_s": 4.0,
        "messages_per_s": per_s,
        "latency_ms_p50": p50,
        "latency_ms_p90": p50 * 2.1,
        "latency_ms_p99": p50 * chance.uniform(5, 7),
        "latency_ms_p999": p50 * 11,
        "latency_ms_max": p50 * 30,
        "server_cpu_s": 3.1 * _layer_cost(key) ** 0.3,
        "server_rss_mb": 96.5,
        "generator_cpu_s": 1.1,
        "valid": "no" if _place(key) == INVALID else "yes",
    }


def drop_rows(key: Row, chance: random.Random, *, first: int, count: int = 0) -> list[Row]:
    """Invented rows of drops of one kind in one trial; those of the UNKNOWN trial after rst cannot be looked up."""
    count = count or chance.randint(35, 45)
    is_hit = key["drop"] in ("rst", "midframe") and key["consumer"].startswith("sync") and key["layer"] != "inmemory"
    missed = chance.randint(0, 3) if is_hit else 0
    rows = [
        _missed_row(key, chance, n) if n < missed else _called_row(key, chance)
        for n in range(count)
    ]  # fmt: skip
    if _place(key) == UNKNOWN and key["drop"] == "rst":
        rows = [{**key, "verdict": "unknown"} for _ in rows]
    return [{**row, "connection": first + n, "t_s": round(chance.uniform(1, 3), 3)} for n, row in enumerate(rows)]


def _called_row(key: Row, chance: random.Random) -> Row:
    base_ms = {"close": 0.6, "fin": 0.9, "rst": 2.0, "midframe": 1.4}.get(key["drop"], 1.0) * _layer_cost(key)
    code = {"close": 1000, "fin": 1005, "rst": 1006, "midframe": 1006}.get(key["drop"], 1006)
    is_odd = key["drop"] != "close" and chance.random() < 0.05
    detect_ms = base_ms * math.exp(chance.gauss(0, 0.8))
    return {**key, "verdict": "called", "detect_ms": detect_ms, "code": 1012 if is_odd else code, **_left(0)}


def _missed_row(key: Row, chance: random.Random, place: int) -> Row:
    """The first missed of a row is the usual one; a guard cleans up after it, if its task ends."""
    cause = SEND_RAISED if place == 0 else chance.choice((SEND_RAISED, HANDLER_BUSY, NOT_NOTICED))
    has_ended = cause == SEND_RAISED
    left = _left(0 if has_ended and "guarded" in key["consumer"] else 1)
    ended_by = "ClientDisconnected" if has_ended else None
    return {**key, "verdict": "missed", "cause": cause, "ended_by": ended_by, **left, "task_left": int(not has_ended)}


def _left(left: int) -> Row:
    return {"task_left": 0, "group_left": left, "queue_left": 0, "subscription_left": 0, "presence_left": left}


def disconnect_row(dropped: Sequence[Row]) -> Row:
    """The row of disconnects that sums up rows of drops of one kind in one trial."""
    key = {name: dropped[0][name] for name in KEY_NAMES}
    dropped = [row for row in dropped if row["verdict"] != "never reached"]
    by_verdict = Counter(row["verdict"] for row in dropped)
    times = sorted(row["detect_ms"] for row in dropped if row.get("detect_ms") is not None)
    codes = Counter(str(row["code"]) for row in dropped if row.get("code") is not None)
    causes = Counter(row["cause"] for row in dropped if row.get("cause"))
    missed = [row for row in dropped if row["verdict"] == "missed"]
    known: dict[str, list[Any]] = {name: [row.get(flag) for row in dropped] for name, flag in _FLAGS.items()}
    figures = {
        "dropped": len(dropped),
        "disconnect_called": by_verdict["called"],
        "missed": len(missed),
        "unknown": by_verdict["unknown"],
        **{f"detect_ms_{name}": _quantile(times, share) for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))},
        "codes": dict(codes.most_common()) or None,
        **{name: None if None in left else sum(left) for name, left in known.items()},
        "never_reached": 0,
        "noticed": by_verdict["called"],
        "returned": by_verdict["called"],
        "raised": 0,
        "causes": dict(causes.most_common()) or None,
        "example": _reference(missed[0]) if missed else None,
    }
    return {**key, **{name: value for name, value in figures.items() if name in _column_names("disconnects")}}


_FLAGS = {
    "groups_left": "group_left",
    "tasks_left": "task_left",
    "presence_left": "presence_left",
    "queues_left": "queue_left",
    "subscriptions_left": "subscription_left",
}


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    return ordered[round(share * (len(ordered) - 1))] if ordered else None


def _reference(row: Row) -> str:
    """The connection as `channels-loadtest show` takes it; one churn trial mixes all kinds of drop."""
    key = {**row, "drop": "mixed"}
    return "-".join(str(key[name]) for name in KEY_NAMES[:-1]) + f"/{row['trial']}:{row['connection']}"


def _column_names(table: str) -> set[str]:
    return {column.name for column in TABLES[table].columns}


def _delivery_row(key: Row, per_s: float, chance: random.Random) -> Row:
    expected = int(per_s * 4)
    if _place(key) == UNKNOWN:
        return {**key, "expected": expected}
    lost = chance.randint(1, 6) if key["layer"] == "redis" and key["scenario"] == "churn" else 0
    return {
        **key,
        "expected": expected,
        "delivered": expected - lost,
        "lost": lost,
        "duplicated": 0,
        "reordered": 0,
        "offline": 210 if key["scenario"] == "churn" else 0,
        "unknown": 0,
    }


def _residue_rows(key: Row, chance: random.Random) -> list[Row]:
    leaks = key["scenario"] == "churn" and key["layer"] == "redis" and "guarded" not in key["consumer"]
    left = {"group members": chance.randint(1, 4) if leaks else 0, "asyncio tasks": 0, "threads": 0}
    return [
        {**key, "kind": kind, "before": 3, "after": 3 + n, "left": n, "example": "room-7" if n else None}
        for kind, n in left.items()
    ]


def _timeline_rows(key: Row, per_s: float, p50: float, chance: random.Random) -> list[Row]:
    steps = []
    for step in range(-4, 16):
        is_dropping = key["scenario"] == "churn" and 4 <= step < 12 and step % 2 == 0
        wave = 1 + 0.08 * math.sin(step)
        steps.append(
            {
                **key,
                "t_s": step * 0.25,
                "open_sockets": 50 - (8 if is_dropping else 0),
                "sent": int(per_s / 4),
                "received": int(per_s / 4 * wave),
                "dropped": chance.randint(5, 12) if is_dropping else 0,
                "latency_ms_p50": p50 * wave,
                "latency_ms_max": p50 * (30 if is_dropping else 9) * chance.uniform(0.8, 1.2),
                "server_cpu_percent": 78 * wave,
                "server_rss_mb": 96.5,
                "generator_cpu_percent": 27.0,
            }
        )
    return steps
