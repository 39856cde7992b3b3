"""A locustfile of the user's own on an app of the user's own: JSON-RPC with acknowledgements, by the example for it."""

import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from loadtest.cli.main import main
from loadtest.ledger import Event
from loadtest.shipped import LOCUSTFILES
from loadtest.targets import prime_app
from tests.live.bench_process import BESIDE_OTHERS, Bench, manifest, may_be_lost, table

pytestmark = pytest.mark.live

PROJECT = Path(__file__).with_name("projects") / "teamchat"
EXAMPLE = LOCUSTFILES / "your_app" / "json_rpc.py"
CLEAN, DEFECT = "RpcConsumer", "BetaRpcConsumer"
ROOM_SIZE = 4
LOAD = (
    "--users", "8", "--room-size", str(ROOM_SIZE), "--load", "fixed", "--trials", "1", "--duration", "1.5",
    "--drops", "rst,fin", "--drop-share", "0.8",
)  # fmt: skip
APP = ("--app", "teamchat.asgi", "--app-dir", PROJECT)


@pytest.fixture(scope="module")
def locustfile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copy(EXAMPLE, tmp_path_factory.mktemp("theirs") / "rpc.py"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, locustfile: Path) -> Iterator[tuple[Path, str]]:
    """A bench of the consumer that cancels its task and of the one that forgets it; its folder, what was printed."""
    out, paths = tmp_path_factory.mktemp("out"), ("--path", "/ws/rpc/", "--path", "/ws/rpc/beta/")
    with Bench("bench", *APP, *paths, "--locustfile", locustfile, *LOAD, "--verbose", "--out", out) as bench:
        assert bench.ended_valid() == 0, bench.out + bench.err
        assert not bench.orphans()
        yield (out / "latest").resolve(), bench.out


def test_bench_when_the_scenario_is_of_a_file_then_its_name_is_in_every_table(
    run: tuple[Path, str], locustfile: Path
) -> None:
    for name in ("throughput", "disconnects", "delivery", "residue"):
        assert set(table(run[0], name)["scenario"]) == {"rpc"}
    (file,) = manifest(run[0])["plan"]["locustfile"]
    assert (file["name"], file["locustfile"], len(file["sha256"])) == ("rpc", str(locustfile), 64)


def test_bench_when_calls_have_results_then_only_notifications_count_and_rooms_are_those_of_the_load(
    run: tuple[Path, str],
) -> None:
    for row in table(run[0], "delivery").iter_rows(named=True):
        assert row["delivered"] > row["expected"] / 2
        assert row["lost"] <= may_be_lost(run[0], ROOM_SIZE, row["consumer"]), row
        assert row["duplicated"] == 0, row
    for client in run[0].glob("trials/*/1/client.parquet"):
        events = pl.read_parquet(client)
        sent, received = (events.filter(event=int(event)).height for event in (Event.SENT, Event.RECEIVED))
        assert received > ROOM_SIZE / 2 * sent, "it comes to all of a room who are there"
        assert events.filter(event=int(Event.FOREIGN)).height >= sent / 2, "each call had its result"


def test_bench_when_a_consumer_forgets_its_task_then_that_is_found_and_of_its_clean_twin_nothing(
    run: tuple[Path, str],
) -> None:
    dropped = table(run[0], "disconnects")
    assert dropped["dropped"].min() > 0  # type: ignore[operator]
    assert dropped["groups_left"].to_list() == dropped["missed"].to_list(), "what Channels itself may miss"
    missed = dict(dropped.group_by("consumer").agg(pl.col("missed").sum()).rows())
    tasks = table(run[0], "residue").filter(kind="asyncio tasks")
    left = dict(tasks.select("consumer", "left").rows())
    assert left[DEFECT] >= dropped.filter(consumer=DEFECT)["dropped"].sum()
    assert left[CLEAN] <= missed[CLEAN]
    assert "RpcConsumer.keep_alive" in run[1]


def test_bench_when_find_of_a_file_finds_nothing_then_exit_4_with_what_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the reference app, where the address is the class's own."""
    blind = tmp_path / "blind.py"
    blind.write_text(
        '"""Blind: finds nothing."""\n'
        "from locust import task\n"
        "from loadtest.users import ChurnUser, paced\n"
        'SCENARIO = {"users": 4, "rate": 1, "room_size": 2, "drops": True}\n'
        "class Blind(ChurnUser):\n"
        '    path = "/ws/{consumer}/room/{room}/"\n'
        "    wait_time = paced()\n"
        "    def find(self, frame):\n"
        "        return None\n"
        "    @task\n"
        "    def talk(self):\n"
        "        self.say()\n"
    )
    named = ("--locustfile", blind, "--consumers", "async", "--layers", "inmemory", "--out", tmp_path / "out")
    monkeypatch.setattr("sys.argv", ["channels-loadtest", "bench", *map(str, named), *LOAD, *BESIDE_OTHERS])
    monkeypatch.setattr(prime_app, "ANSWER_S", 0.5)
    with keeping_handlers(), pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 4
    assert re.search(r"the marker of a message did not come back from ws://127.0.0.1:\d+/ws/async/room/room-0/", said)
    assert "find of Blind in blind.py finds nothing in a frame that has it: '{" in said


@contextmanager
def keeping_handlers() -> Iterator[None]:
    """The command takes over signals, which are to be ours again."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
