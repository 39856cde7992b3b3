"""Bad input to the bench: exit code 2, one message that names every problem, and nothing left in --out."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadtest.cli.main import main
from tests.live.bench_process import Bench, assert_clear

pytestmark = pytest.mark.live

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run `bench` with some arguments in this process; exit code and message. Nothing may be left in --out."""
    out = tmp_path / "out"
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def run(*arguments: str | Path) -> tuple[int, str]:
        where = () if "--resume" in arguments else ("--out", str(out))
        monkeypatch.setattr("sys.argv", ["channels-loadtest", "bench", *where, *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert printed.out == ""
        assert "Traceback" not in printed.err
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.err

    yield run
    assert not out.exists()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("arguments", "problems"),
    [
        (
            ["--layers", "inmemory,carrier-pigeon"],
            ["layers: unknown layer 'carrier-pigeon'; there are inmemory, redis,"],
        ),
        (["--consumers", "half-sync"], ["consumers: unknown consumer 'half-sync'; there are sync, async,"]),
        (["--drops", "rst,sneeze"], ["drops: unknown drop 'sneeze'; there are "]),
        (["--scenarios", "ecko"], ["scenarios: unknown scenario 'ecko'; there are "]),
        (["--layers", ","], ["layers: name at least one of inmemory, redis,"]),
        (["--rate", "-1"], ["rate: ", "got -1.0"]),
        (["--rate", "nan"], ["rate: ", "got nan"]),
        (["--duration", "inf"], ["duration: ", "got inf"]),
        (["--users", "0"], ["users: ", "got 0"]),
        (["--port", "70000"], ["port: ", "got 70000"]),
        (["--work", "sleep:0.5"], ["work: none, orm, sleep:MS or cpu:MS", "got 'sleep:0.5'"]),
        (["--profile", "hasty"], ["profile: ", "'quick', 'standard' or 'full'", "got 'hasty'"]),
    ],
)
def test_bench_when_an_option_makes_no_sense_then_exit_2_with_what_there_is(
    bench: Run, arguments: list[str], problems: list[str]
) -> None:
    code, message = bench(*arguments)
    assert code == 2
    assert message.startswith("channels-loadtest: ")
    assert message.count("\n") == 1
    assert [problem for problem in problems if problem not in message] == []


def test_bench_when_several_things_are_wrong_then_all_are_named_at_once(bench: Run, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('drops = ["sneeze", "rst", "cough"]\nspeed = 9\nturbo = true\nwarm_up = -1\npayload_size = 3\n')
    code, message = bench("--plan", plan, "--layers", "x,y", "--consumers", "z", "--rate", "-1", "--trials", "0")
    assert code == 2
    keys = [line.removeprefix("channels-loadtest: ").partition(":")[0] for line in message.splitlines()]
    assert sorted(keys) == sorted(
        ["drops", "speed", "turbo", "warm_up", "payload_size", "layers", "consumers", "rate", "trials"]
    )
    for name in ("sneeze", "cough", "'x'", "'y'", "'z'"):
        assert name in message
    assert "speed: unknown key; a plan has profile, consumers, layers, " in message


def test_bench_when_an_option_is_no_number_then_exit_2(bench: Run) -> None:
    code, message = bench("--users", "many")
    assert code == 2
    assert "--users" in message
    assert "Invalid value" in message


def test_bench_when_an_option_is_unknown_then_exit_2(bench: Run) -> None:
    code, message = bench("--lairs", "inmemory")
    assert code == 2
    assert "--lairs" in message


def test_bench_when_the_plan_cannot_be_read_then_the_message_says_why(bench: Run, tmp_path: Path) -> None:
    assert bench("--plan", tmp_path / "none") == (
        2,
        f"channels-loadtest: cannot read the plan {tmp_path / 'none'}: No such file or directory\n",
    )
    assert bench("--plan", tmp_path) == (2, f"channels-loadtest: cannot read the plan {tmp_path}: Is a directory\n")


@pytest.mark.parametrize("content", [b"drops = [", b"just some words", b"a = 1\na = 2"])
def test_bench_when_the_plan_is_not_toml_then_the_message_says_so(bench: Run, tmp_path: Path, content: bytes) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_bytes(content)
    code, message = bench("--plan", plan)
    assert code == 2
    assert message.startswith(f"channels-loadtest: the plan {plan} is not TOML: ")


def test_resume_when_the_folder_is_no_run_then_the_message_says_what_is_missing(bench: Run, tmp_path: Path) -> None:
    code, message = bench("--resume", tmp_path)
    assert code == 2
    assert f"--resume {tmp_path}: could not read {tmp_path / 'manifest.json'}: No such file" in message


def test_resume_when_the_manifest_is_damaged_then_the_message_says_so(bench: Run, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"format": 1, "plan"')
    code, message = bench("--resume", tmp_path)
    assert code == 2
    assert f"could not read {tmp_path / 'manifest.json'}" in message
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_resume_when_other_options_are_given_then_all_are_refused(bench: Run, tmp_path: Path) -> None:
    code, message = bench("--resume", tmp_path, "--layers", "redis", "--trials", "5", "--plan", tmp_path / "plan.toml")
    assert code == 2
    assert message.endswith("--resume goes on with the run's own plan; leave out --layers, --trials, --plan\n")


def test_bench_when_started_as_a_command_then_the_message_is_on_stderr_and_nothing_is_left(tmp_path: Path) -> None:
    with Bench("bench", "--layers", "nope", "--rate", "-1", "--out", tmp_path / "out", anew=True) as run:
        assert run.ended() == 2
        assert run.out == ""
        assert_clear(run, "layers: unknown layer 'nope'")
    assert list(tmp_path.iterdir()) == []
