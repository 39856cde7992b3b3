"""Bad input, listed and generated: exit code 2 or 4, one message that says what was tried, no traceback, no secret.

With LOADTEST_SOAK=1 (make soak) ten times as many are generated.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadtest.bench.plan import Plan
from loadtest.report.console import PlainConsole
from loadtest.stack.errors import EnvironmentFailed
from tests.unit.command_line import ACCEPTED, COMMANDS, Said, nothing_starts, said_to
from tests.unit.report_folder import write_folder

REFUSED = (2, 4)
MANY = settings(
    max_examples=1000 if os.environ.get("LOADTEST_SOAK") else 100,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

NASTY = [
    *("", " ", "0", "-1", "1e400", "nan", "inf", "9223372036854775808", "9" * 400, "9" * 5000, "²", "٣٠%", "0x10"),
    *(
        "[/x]",
        "[bold]",
        ":smile:",
        "\x1b[2J",
        "\r",
        "\n",
        "\x07",
        "\u202e",
        "\udcff",
        "é",
        "=1+1",
        "-",
        "--",
        "{",
        "{0}",
    ),
    *("%s", "..", "/", "/dev/null", "/proc/self/mem", "a/b:c", ",", ",,", ":", "::", "true", "null", "all", "every"),
]
texts = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_characters="\0"), max_size=20),
    st.integers().map(str),
    st.floats().map(str),
    st.text("0123456789.:/,%-<>=[]{}", max_size=12),
)


@pytest.fixture(scope="module", autouse=True)
def _nothing_starts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("here"))
    with nothing_starts():
        yield
    os.chdir(before)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("run"))


def require_refused(said: Said, *, what: object) -> None:
    assert said.code in REFUSED, (what, said)
    assert said.is_one_message, (what, said)
    assert said.is_plain, (what, said)


def require_refused_or_accepted(said: Said, *, what: object) -> None:
    assert said.is_plain, (what, said)
    if said.code != ACCEPTED:
        require_refused(said, what=what)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["bench", "--users", "9223372036854775808"], "users: Input should be less than or equal to 1000000"),
        (["bench", "--users", "9" * 5000], "--users"),
        (["bench", "--duration", "1e300"], "duration: "),
        (["bench", "--offline", "1e300"], "offline: "),
        (["bench", "--settle", "1e300"], "settle: "),
        (["bench", "--rate", "1e300"], "rate: "),
        (["bench", "--seed", "9223372036854775808"], "seed: "),
        (["bench", "--load", "0.0000001%"], "load: '0.0000001%' is no load"),
        (["bench", "--load", "٣٠%"], "load: "),
        (["bench", "--server-ping", f"1/{'9' * 400}"], "server_ping: INTERVAL/TIMEOUT in seconds"),
        (["bench", "--server-ping", "0/0"], "server_ping: both times have to be more than 0 s"),
        (["bench", "--drops", "close:٤٠٠٠"], "drops: "),
        (["bench", "--message-form", "msgpack", "--message", "[" * 5000 + "{marker}"], "message_form: "),
        (["bench", "--resume", "there", "--out", "elsewhere"], "leave out --out"),
        (["bench", "--resume", "[/x]"], "--resume [/x]: could not read"),
        (["bench", "--like", ":smile:"], "--like :smile:: could not read"),
        (["bench", "--plan", "/dev/zero"], "cannot read the plan /dev/zero: it is longer than"),
        (["ui", "--port", "99999"], "'--port'"),
        (["ui", "--port", "-1"], "'--port'"),
        (["ui", "--web-port", "99999"], "'--web-port'"),
        (["ui", "--web-port", "-1"], "'--web-port'"),
        (["ui", "--layer", "[/x]"], "unknown layer '[/x]'"),
        (["ui", "--plan", "/dev/zero"], "cannot read the plan /dev/zero: it is longer than"),
        (["ui", "--web-host", "0.0.0.0"], "--web-host 0.0.0.0: whoever reaches that address could load any server"),
        (["report", "\x1b[2J"], "could not read \\x1b[2J/manifest.json"),
        (["report", "\udcff"], "could not read \\udcff/manifest.json"),
        (["report", "\x1b:smile:[/x]"], "\\x1b:smile:[/x]"),
        (["compare", "[/x]", "[/y]"], "could not read [/x]/manifest.json"),
        (["audit", "[/x]", "[/y]"], "[/x] does not exist"),
        (["selftest", "--only", "[/x]"], "'[/x]'"),
        (["keep", "[/x]", "there"], "could not read [/x]/manifest.json"),
        (["bench", "--app", "a", "--path", "/", "--env-file", "/dev/zero"], "--env-file /dev/zero cannot be read"),
        (["bench", "--app", "a", "--path", "/", "--header-file", "/"], "--header-file / cannot be read"),
    ],
)
def test_command_when_what_is_given_makes_no_sense_then_one_message_names_it(arguments: list[str], names: str) -> None:
    said = said_to(*arguments)
    require_refused(said, what=arguments)
    assert names in said.err


@pytest.mark.parametrize("reference", ["²", "1²", "٣", "-1", "", ":", "1.0", "0x1", "9" * 5000])
def test_show_when_what_is_given_is_no_id_then_exit_2(run: Path, reference: str) -> None:
    require_refused(said_to("show", str(run), "--", reference), what=reference)


@pytest.mark.parametrize(
    ("plan", "names"),
    [
        (f"seed = {'9' * 5000}", "is not TOML: Exceeds the limit"),
        (f"seed = 0x{'f' * 5000}", "seed: "),
        (f"users = {'[' * 5000}{']' * 5000}", "more brackets inside each other than any plan needs"),
        (f"users = {'{a=' * 5000}", "more brackets inside each other than any plan needs"),
        ("users = true", "users: true is for switches only"),
        ("duration = true", "duration: true is for switches only"),
        ("trials = false", "trials: false is for switches only"),
        ("notes = ['all is well']", "notes: unknown key"),
        ("_notes = ['all is well']", "_notes: unknown key"),
        ('"[/x]" = 1', "[/x]: unknown key"),
        ('"\\u001b[2J" = 1', "\\x1b[2J: unknown key"),
        (f"profile = '{'x' * 100_000}'", "..."),
    ],
)
def test_plan_when_what_is_in_it_makes_no_sense_then_one_message_names_it(
    tmp_path: Path, plan: str, names: str
) -> None:
    (tmp_path / "plan.toml").write_text(plan)
    said = said_to("bench", "--plan", str(tmp_path / "plan.toml"))
    require_refused(said, what=plan[:80])
    assert names in said.err
    assert len(said.err) < 5000


def test_plan_when_it_is_a_pipe_into_which_nobody_writes_then_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtest.load.given_file.read_given.__kwdefaults__", {"writer_s": 0.0})
    os.mkfifo(tmp_path / "pipe")
    said = said_to("bench", "--plan", str(tmp_path / "pipe"))
    require_refused(said, what="a pipe")
    assert "nobody wrote into it" in said.err


def test_output_when_its_reader_is_gone_then_exit_4_and_not_the_code_of_a_threshold(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone:
        def write(self, text: str) -> None:
            raise BrokenPipeError

    with monkeypatch.context() as patched:
        patched.setattr("os.dup2", lambda *_: None)
        patched.setattr("rich.console.Console.file", Gone())
        with pytest.raises(Exception, match="closed it before all was written"):
            PlainConsole().print("a line")


def options_of(command: str) -> list[Any]:
    return [one for one in COMMANDS.commands[command].params if one.opts[0].startswith("--") and one.name != "help"]


@MANY
@given(st.data())
def test_options_when_their_values_are_anything_then_they_are_taken_or_one_message_refuses_them(data: Any) -> None:
    command = data.draw(st.sampled_from(["bench", "bench", "capacity", "ui", "selftest"]))
    options = data.draw(st.lists(st.sampled_from(options_of(command)), min_size=1, max_size=3))
    given_ = [
        option.opts[0] if option.is_flag else f"{option.opts[0]}={data.draw(texts)}"
        for option in options
        if option.opts[0] != "--list"
    ]
    require_refused_or_accepted(said_to(command, *given_), what=(command, given_))


@MANY
@given(st.sampled_from(["bench", "report", "show", "compare", "keep", "audit", "drops"]), st.lists(texts, max_size=3))
def test_arguments_when_they_are_anything_then_they_are_taken_or_one_message_refuses_them(
    command: str, values: list[str]
) -> None:
    require_refused_or_accepted(said_to(command, "--", *values), what=(command, values))


@MANY
@given(texts)
def test_show_when_the_reference_is_anything_then_one_message_refuses_it(run: Path, reference: str) -> None:
    require_refused(said_to("show", str(run), "--", reference), what=reference)


values = st.recursive(
    st.one_of(
        st.booleans().map(lambda one: str(one).lower()),
        st.integers().map(str),
        st.integers(min_value=0).map(hex),
        st.floats().map(str),
        st.dates().map(str),
        st.one_of(st.sampled_from(NASTY), st.text(max_size=20)).map(
            lambda text: json.dumps(text.encode("utf-8", "replace").decode())
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda all_: f"[{', '.join(all_)}]"),
        inner.map(lambda one: f"{{a = {one}}}"),
    ),
    max_leaves=4,
)
keys = st.sampled_from([*Plan.model_fields, "notes", "speed"])


@MANY
@given(st.dictionaries(keys, values, min_size=1, max_size=4))
def test_plan_when_its_values_are_anything_then_it_is_taken_or_one_message_refuses_it(
    tmp_path: Path, plan: dict[str, str]
) -> None:
    (tmp_path / "plan.toml").write_text("".join(f"{key} = {value}\n" for key, value in plan.items()))
    require_refused_or_accepted(said_to("bench", "--plan", str(tmp_path / "plan.toml")), what=plan)


@MANY
@given(st.one_of(st.binary(max_size=60), st.text("[]{}='\".\n#ab1", max_size=60).map(str.encode)))
def test_plan_when_the_file_has_any_bytes_then_it_is_taken_or_one_message_refuses_it(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "plan.toml").write_bytes(content)
    require_refused_or_accepted(said_to("bench", "--plan", str(tmp_path / "plan.toml")), what=content)


def test_ui_when_the_web_port_is_0_then_locust_gets_a_free_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = []

    def started(options: Mapping[str, str], *_others: object) -> None:
        ports.append(options["--web-port"])
        raise EnvironmentFailed("that is enough")

    monkeypatch.setattr("loadtest.cli.ui.free_port", lambda _host: 4711)
    monkeypatch.setattr("loadtest.cli.ui._locust", started)
    with pytest.raises(EnvironmentFailed):
        COMMANDS(["ui", "--web-port", "0"], standalone_mode=False)
    assert ports == ["4711"]
