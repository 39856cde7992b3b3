"""What is shown while a bench runs: what runs and how fast, the drops so far, the time left."""

import io

import pytest
from rich.console import Console

from loadtest.bench.plan import Trial
from loadtest.cli.progress import Seen, ShownProgress
from loadtest.dimensions import CellKey
from loadtest.report.tables import Tables
from tests.unit.report_folder import key_row

CELL = CellKey(layer="redis", consumer="sync", scenario="churn", drop="mixed", load="80%")
TABLES = Tables.from_rows(
    {
        "throughput": [{**key_row(), "messages_per_s": 1222.4}],
        "disconnects": [
            {**key_row(drop=kind), "dropped": 20, "missed": 3, "disconnect_called": 17, "unknown": 0}
            for kind in ("fin", "rst")
        ],
    }
)


def shown(*, is_terminal: bool, quiet: bool = False, invalid: tuple[str, ...] = ()) -> str:
    file = io.StringIO()
    console = Console(file=file, width=120, force_terminal=is_terminal, quiet=quiet)
    first, second = (Trial(cell=CELL, number=number, seed=1, rate=8.25) for number in (1, 2))
    with ShownProgress(console) as progress:
        progress.trial_begins(first, place=1, of=2)
        progress.trial_done(first, TABLES, invalid)
        progress.trial_begins(second, place=2, of=2)
        if is_terminal:
            progress._progress.refresh()
    return file.getvalue()


def test_progress_when_it_is_no_terminal_then_each_trial_is_a_plain_line() -> None:
    text = shown(is_terminal=False)
    assert "\x1b" not in text
    first, second = text.splitlines()
    assert first == "[1/2, 0:18 left] redis sync churn mixed 80% 1, 8.25/s from each"
    assert second.endswith("(so far 40 dropped, 6 missed, last 1,222 messages/s)")


def test_progress_when_it_is_a_terminal_then_the_bar_tells_what_runs_the_drops_and_the_time_left() -> None:
    text = shown(is_terminal=True)
    for each in ("redis sync churn mixed 80% 2", "40 dropped, 6 missed", "last 1,222 messages/s", "left", "1/2"):
        assert each in text


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_when_it_is_to_be_quiet_then_nothing_is_shown(*, is_terminal: bool) -> None:
    assert shown(is_terminal=is_terminal, quiet=True) == ""


def test_progress_when_a_trial_does_not_count_then_its_drops_do_not() -> None:
    text = shown(is_terminal=False, invalid=("the generator was busy",))
    assert "not valid: the generator was busy" in text
    assert "(so far 0 dropped, 0 missed)" in text


def test_seen_when_trials_are_added_then_drops_are_summed_and_the_rate_is_the_last() -> None:
    empty = Tables.empty()
    assert str(Seen().with_trial(TABLES).with_trial(TABLES)) == "80 dropped, 12 missed, last 1,222 messages/s"
    assert str(Seen().with_trial(TABLES).with_trial(empty)) == "40 dropped, 6 missed"
