"""The ledgers of a trial in its folder, as compressed columnar files."""

from pathlib import Path

import polars as pl

from loadtest.stack.errors import EnvironmentFailed


def write_ledgers(folder: Path, *, client: pl.DataFrame, server: pl.DataFrame) -> None:
    """Write both sides' records into the trial's folder; EnvironmentFailed where that cannot be."""
    _write(client, folder / "client.parquet")
    _write(server, folder / "server.parquet")


def _write(ledger: pl.DataFrame, path: Path) -> None:
    try:
        ledger.write_parquet(path, compression="zstd")
    except (pl.exceptions.PolarsError, OSError) as error:  # a full disk is either
        raise EnvironmentFailed(f"could not write {path}: {error}; free the disk or pass --out") from error
