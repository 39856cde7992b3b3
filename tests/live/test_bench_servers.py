"""The bench across servers: the same drops, and what each server makes of them."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.live.bench_process import Bench, manifest, table

pytestmark = pytest.mark.live

CERTAIN = ("burst-close", "upgrade-gone")
"""Drops that uvicorn's consumers miss each time: the send of an answer, or of the accept, to the client that is gone
raises there. On daphne such a send does nothing."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("servers")
    options = ["--layers", "inmemory", "--consumers", "async", "--scenarios", "churn", "--trials", "1"]
    options += ["--users", "20", "--rate", "1", "--duration", "2", "--drops", ",".join(CERTAIN)]
    with Bench("bench", "--servers", "uvicorn,daphne", *options, "--out", out) as bench:
        assert bench.ended_valid() == 0, bench.err
    yield out / "latest"


def missed(run: Path, server: str) -> tuple[int, int]:
    """How many were dropped on a server, and how many of these missed."""
    rows = table(run, "disconnects").filter(pl.col("server") == server)
    assert rows["unknown"].sum() == 0
    return int(rows["dropped"].sum()), int(rows["missed"].sum())


def test_bench_when_it_runs_on_daphne_then_few_disconnects_are_missed_where_uvicorn_misses_them(run: Path) -> None:
    """Daphne's send to the gone raises too, but only between the end of the handshake to close and that of TCP."""
    dropped, missed_by_daphne = missed(run, "daphne")
    assert dropped > 0
    assert missed_by_daphne < dropped / 3
    dropped, missed_by_uvicorn = missed(run, "uvicorn")
    assert dropped > 0
    assert missed_by_uvicorn == dropped


def test_bench_when_it_has_run_then_the_manifest_names_the_version_of_everything(run: Path) -> None:
    identity = manifest(run)["identity"]
    assert {"server uvicorn", "server daphne", "layer inmemory", "target's database"} <= identity.keys()
    assert "websockets" in identity["server uvicorn"]
    assert "autobahn" in identity["server daphne"]
