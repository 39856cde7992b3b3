"""A made-up run at several loads, both consumers on one curve of missed share over utilisation. None was measured."""

from __future__ import annotations

import json
import random
from math import inf
from pathlib import Path
from typing import Any

from loadtest.report.csv_files import write_csv
from loadtest.report.tables import Tables
from tests.unit.report_folder import DROPS, LAYERS, invented_manifest, key_row

LOADS = ("30%", "60%", "80%", "120%")
ROUNDS = 4
DROPPED = 25
"""Of each kind, cell and trial."""
_COST = {"sync": 1.0, "async": 0.45}
Row = dict[str, Any]


def write_loaded_folder(folder: Path) -> Path:
    """Write the run; the same bytes each time."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = loaded_tables()
    write_csv(tables, folder)
    manifest = invented_manifest(done=tables.frame("throughput").height)
    plan = {**manifest["plan"], "load": list(LOADS), "trials": ROUNDS, "rate": None}
    manifest |= {"plan": plan, "failed": [], "invalid": [], "planned": manifest["done"]}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def loaded_tables() -> Tables:
    """Broadcast and churn on each layer; the last async cell of the first layer is measured twice each round."""
    chance = random.Random(5)
    rows: dict[str, list[Row]] = {"throughput": [], "delivery": [], "disconnects": [], "drops": []}
    for layer in LAYERS:
        for consumer in _COST:
            for load in LOADS:
                twice = (layer, consumer, load) == (LAYERS[0], "async", LOADS[-1])
                for trial in range(1, (2 if twice else 1) * ROUNDS + 1):
                    for scenario in ("broadcast", "churn"):
                        _add(rows, {**key_row(layer, consumer, scenario, trial), "load": load}, chance)
    return Tables.from_rows(rows)


def _add(rows: dict[str, list[Row]], key: Row, chance: random.Random) -> None:
    busy = float(key["load"].rstrip("%")) / 100 * _COST[key["consumer"]] * chance.uniform(0.97, 1.03)
    p50, over = 2 / max(1 - busy, 0.05), busy > 1
    expected = int(8000 * busy)
    lost = int(expected * (0.3 if key["layer"] == "redis" else 0.0)) if over else 0
    rows["throughput"].append({
        **key, "users": 80, "offered": 800, "sent": 800, "answered": 500 if over else 800, "received": expected - lost,
        "duration_s": 4.5, "messages_per_s": expected / 4.5, "valid": "yes", "overloaded": "yes" if over else "no",
        "latency_ms_p50": p50, "latency_ms_p99": inf if lost else p50 * chance.uniform(4, 7), "watched_ms": 5000.0,
        "utilisation": min(busy, 1.0), "server_cpu_s": 4.5 * min(busy, 1.0), "generator_cpu_s": 1.0,
    })  # fmt: skip
    rows["delivery"].append({**key, "expected": expected, "delivered": expected - lost, "lost": lost, "duplicated": 0,
                             "reordered": 0, "offline": 0, "unknown": 0})  # fmt: skip
    if key["scenario"] == "churn":
        for place, drop in enumerate(DROPS):
            _add_drops(rows, {**key, "drop": drop}, min(busy, 1.0) ** 3, chance, first=1000 * place)


def _add_drops(rows: dict[str, list[Row]], key: Row, risk: float, chance: random.Random, *, first: int) -> None:
    missed = sum(chance.random() < risk for _ in range(DROPPED))
    for number in range(DROPPED):
        gone = number < missed
        fate = {"verdict": "missed", "watched_ms": 5200.0, "cause": "send to the gone client raised"} if gone else {
            "verdict": "called", "detect_ms": chance.lognormvariate(2.5, 0.5), "code": 1006}  # fmt: skip
        rows["drops"].append({**key, **fate, "connection": first + number, "t_s": chance.uniform(0, 4)})
    rows["disconnects"].append({
        **key, "dropped": DROPPED, "disconnect_called": DROPPED - missed, "missed": missed, "unknown": 0,
        "exposure": risk * chance.uniform(0.9, 1.1), "detect_ms_max": 90.0, "groups_left": missed, "queues_left": 0,
        "tasks_left": 0, "presence_left": missed, "subscriptions_left": 0, "noticed": DROPPED, "codes": {"1006": 20},
        "causes": {"send to the gone client raised": missed} if missed else {},
    })  # fmt: skip
