"""Options: checked all at once, and known to Locust's own command line."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from locust.argument_parser import get_empty_argument_parser, get_parser

from loadtest.drops import DROPS
from loadtest.load import IDENTITY, Job, Load
from loadtest.users.options import OptionsError, read_job

PROJECT = Path(__file__).resolve().parents[2]
OURS = ["--" + name.replace("_", "-") for name in (*Job.model_fields, "job") if name not in ("host", *IDENTITY)]
OF_A_BENCH = Job.model_fields.keys() - Load.model_fields.keys()
CA_FILE = PROJECT / "tests" / "live" / "wire_certificates" / "ca.pem"
LOCUSTS_EARLY_PARSER = ("--locustfile", "--config", "--help", "--version", "--worker", "--master", "--master-host",
                        "--master-port")  # fmt: skip
"""What Locust looks for before it has read the locustfile, and so before it knows our options."""


def read(host: str = "ws://127.0.0.1:8000", **options: Any) -> Job:
    return read_job(options, host)


def problems(host: str = "ws://127.0.0.1:8000", **options: Any) -> str:
    with pytest.raises(OptionsError) as refused:
        read(host, **options)
    return str(refused.value)


def test_options_when_nothing_is_given_then_the_defaults_hold() -> None:
    assert read() == Job(host="ws://127.0.0.1:8000")


@pytest.mark.parametrize("option", OURS)
def test_options_when_their_page_is_read_then_each_is_there(option: str) -> None:
    assert f"`{option}`" in (PROJECT / "docs" / "options.md").read_text(encoding="utf-8")


def test_options_when_several_are_wrong_then_all_are_named_at_once() -> None:
    message = problems(
        "http://x", rate=-1, payload_size=3, room_size=0, drop_kind="rst,nothing", drop_share=1.5, offline=-1
    )
    lines = message.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "--host", "--rate", "--payload-size", "--room-size", "--drop-kind", "--drop-share", "--offline",
    ]  # fmt: skip
    assert "Value error" not in message


def test_options_when_a_drop_is_unknown_then_it_is_named_with_those_there_are() -> None:
    message = problems(drop_kind="rst,typo")
    assert "typo" in message
    assert all(kind in message for kind in DROPS)


def test_options_when_no_drop_is_named_then_that_is_refused() -> None:
    assert "--drop-kind" in problems(drop_kind=" , ")


def test_options_when_drops_are_listed_by_comma_then_spaces_do_not_matter() -> None:
    assert read(drop_kind="rst, fin ,").drop_kind == ("rst", "fin")


@pytest.mark.parametrize("name", ["rate", "offline"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_options_when_a_number_is_none_or_endless_then_it_is_refused(name: str, value: float) -> None:
    options: dict[str, Any] = {name: value}
    assert f"--{name}" in problems(**options)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "127.0.0.1:8000",
        "http://127.0.0.1:8000",
        "ws://",
        "ws:///path",
        "ws://h:99999",
        "ws://h:port",
        "ws://[::1",
        "ws://h:0",
        "ws://127.0.0.1 :80",
        "ws://127.0.0.1\t:80",
    ],
)
def test_options_when_the_host_is_no_websocket_address_then_it_is_refused(host: str) -> None:
    assert "--host" in problems(host)


@pytest.mark.parametrize("host", ["ws://h", "ws://h/", "wss://h:8443", "ws://[::1]:8000", "ws://user:pass@h:1"])
def test_url_when_the_host_has_no_path_then_the_scenarios_path_is_behind_it(host: str) -> None:
    url = read(host, consumer="sync").url("/ws/{consumer}/room/{room}/", "room-7", "none")
    assert url == host.rstrip("/") + "/ws/sync/room/room-7/"


@pytest.mark.parametrize("host", ["ws://h/chat/", "ws://h/chat/1?token=a%20b", "ws://h?token=1"])
def test_url_when_the_host_has_its_own_path_then_it_is_used_as_it_is(host: str) -> None:
    assert read(host).url("/ws/{consumer}/echo/", "room-7", "cpu:5") == host


def test_url_when_the_host_has_places_for_room_and_user_then_they_get_numbers() -> None:
    host = "ws://h/chat/{room}/?as=u{user}"
    assert read(host).url("/ws/{consumer}/echo/", "room-7", "none", user=12) == "ws://h/chat/7/?as=u12"


def test_url_when_the_handler_has_work_then_the_reference_app_is_told() -> None:
    options = read()
    assert options.url("/echo/", "r", "sleep:5") == "ws://127.0.0.1:8000/echo/?work=sleep:5"


# what users ask of the opening handshake


def test_headers_when_given_several_times_then_each_is_a_pair_of_name_and_value() -> None:
    parsed = vars(get_parser().parse_args(["-f", "x.py", "--header=Cookie: a=1; b=2", "--header", "X-Empty:"]))
    assert read_job(parsed, "ws://h").headers == [("Cookie", "a=1; b=2"), ("X-Empty", "")]


def test_headers_when_a_file_is_named_then_they_are_those_in_it(tmp_path: Path) -> None:
    file = tmp_path / "headers"
    file.write_text("# of the test user\nAuthorization: Bearer x\n\n  X-Empty:\n")
    parsed = vars(get_parser().parse_args(["-f", "x.py", "--header=A: b", f"--header=@{file}"]))
    assert read_job(parsed, "ws://h").headers == [("A", "b"), ("Authorization", "Bearer x"), ("X-Empty", "")]


@pytest.mark.parametrize("value", ["Authorization: Bearer x", "@FILE"])
def test_headers_when_the_environment_has_them_then_they_are_taken_as_from_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    (tmp_path / "FILE").write_text("Authorization: Bearer x")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOADTEST_HEADER", value)
    parsed = vars(get_parser().parse_args(["-f", "x.py"]))
    assert read_job(parsed, "ws://h").headers == [("Authorization", "Bearer x")]


def test_headers_when_their_file_cannot_be_read_then_that_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "headers").write_text("Authorization s3cret")
    assert problems(header=["@/no/such"]) == "--header: @/no/such cannot be read: No such file or directory"
    assert "which can be read once only; name a file, or set LOADTEST_HEADER" in problems(header=[f"@{tmp_path}/pipe"])
    assert problems(header=[f"@{tmp_path}/headers"]).startswith("--header: 'Authorization...' is no header")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("header", ["Authorization Bearer x"], "write 'Name: value'"),
        ("header", [": nameless"], "write 'Name: value'"),
        ("header", ["Two words: x"], "write 'Name: value'"),
        ("header", ["A: b\r\nHost: elsewhere"], "cannot be printed"),
        ("header", ["A: right", "Host: elsewhere"], "Host is set by the handshake itself"),
        ("header", ["connection: close"], "set by the handshake"),
        ("header", ["Sec-WebSocket-Key: x"], "set by the handshake"),
        ("header", ["X-Loadtest-Connection: 1"], "set by the handshake"),
        ("header", ["origin: http://h"], "use --origin"),
        ("header", ["Sec-WebSocket-Protocol: chat"], "use --subprotocol"),
        ("header", ["Sec-WebSocket-Extensions: permessage-deflate"], "use --compression"),
        ("header", ["Content-Length: 5"], "announces a body"),
        ("origin", "example.com", "is no origin"),
        ("origin", "https://example.com/", "without a path"),
        ("subprotocol", "chat, two words", "'two words' is no subprotocol"),
        ("compression", "perhaps", "--compression"),
        ("handler_work", "coffee", "none, orm, sleep:MS or cpu:MS"),
        ("handler_work", "cpu:60001", "up to 60,000"),
        ("handler_work", "cpu:1\n", "none, orm, sleep:MS or cpu:MS"),
        ("blocker_work", "none", "sleep:MS or cpu:MS"),
    ],
)
def test_options_when_one_makes_no_sense_then_it_is_named_with_what_would(
    name: str, value: object, complaint: str
) -> None:
    options: dict[str, Any] = {name: value}
    message = problems(**options)
    assert message.startswith("--" + name.replace("_", "-") + ": ")
    assert complaint in message


@pytest.mark.parametrize("origin", ["", "null", "https://example.com", "http://[::1]:8000", "capacitor://localhost"])
def test_origin_when_a_browser_could_send_it_then_it_is_taken(origin: str) -> None:
    assert read(origin=origin).origin == origin


def test_subprotocols_when_listed_by_comma_then_their_order_is_kept() -> None:
    assert read(subprotocol="chat.v2, chat.v1").subprotocol == ("chat.v2", "chat.v1")


def test_ca_file_when_it_holds_a_certificate_then_it_is_taken() -> None:
    assert read(ca_file=str(CA_FILE)).ca_file == str(CA_FILE)


def test_ca_file_when_it_is_none_then_that_is_said(tmp_path: Path) -> None:
    assert "cannot be read: No such file or directory" in problems(ca_file=str(tmp_path / "no.pem"))
    assert "has no certificate in PEM form" in problems(ca_file=__file__)


def test_insecure_when_a_ca_file_is_given_too_then_one_is_to_be_left_out() -> None:
    assert "leave one of them out" in problems(ca_file=str(CA_FILE), insecure=True)


@pytest.mark.parametrize("proxy", ["", "http://h", "http://user:pass@h:3128", "http://[::1]:8080/"])
def test_proxy_when_it_is_one_then_it_is_taken(proxy: str) -> None:
    assert read(proxy=proxy).proxy == proxy


@pytest.mark.parametrize("proxy", ["h:3128", "https://h", "http://", "http://u:s3cret@h:port", "http://u:s3cret@h/x"])
def test_proxy_when_it_is_none_then_it_is_refused_and_its_password_not_repeated(proxy: str) -> None:
    message = problems(proxy=proxy)
    assert message == "--proxy: that is no HTTP proxy; write http://[user:password@]host:port"


def test_proxy_when_a_drop_goes_past_it_then_one_of_them_is_to_be_left_out() -> None:
    assert problems(proxy="http://h:1", drop_kind="rst,upgrade-gone,accept-gone").startswith(
        "--proxy: the drops on the way to being open go through no proxy; leave it out, or upgrade-gone, accept-gone"
    )
    assert read(proxy="http://h:1", drop_kind="rst,fin").drop_kind == ("rst", "fin")


# a job file, as the bench writes it


def test_job_when_it_was_written_then_it_is_read_as_it_was_whatever_else_is_given(tmp_path: Path) -> None:
    job = Job(host="ws://h", drop_kind=("fin", "close:4001"), header=("A: b",), generator=2, generators=2, steady=1.5)
    path = tmp_path / "job.json"
    path.write_text(job.model_dump_json())
    assert read_job({"job": str(path), "rate": 7.0}, "ws://other") == job


def test_job_when_locust_has_given_this_process_a_place_then_that_counts_instead_of_the_files(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    path.write_text(Job(host="ws://h").model_dump_json())
    jobs = [read_job({"job": str(path)}, None, generator=number, generators=2) for number in (1, 2)]
    assert [(job.generator, job.generators) for job in jobs] == [(1, 2), (2, 2)]


@pytest.mark.parametrize("options", [["--processes=2"], ["--master"], []])
def test_job_of_a_bench_when_it_cannot_be_had_then_locust_says_so_in_one_line_and_ends(
    tmp_path: Path, options: list[str]
) -> None:
    path = tmp_path / "job.json"
    path.write_text(Job(host="ws://h", conductor=str(tmp_path / "gone" / "s")).model_dump_json())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "locust", "-f", str(PROJECT / "locustfiles" / "echo.py"), "--headless"]
    ended = subprocess.run(
        [*command, f"--job={path}", f"--master-port={port}", f"--master-bind-port={port}", *options],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert ended.returncode == 2, ended.stderr
    said = "a job of the bench is for one process; leave `conductor`" if options else "no bench listens at .*gone/s "
    assert re.search(said, ended.stderr)
    assert "leave `conductor` out of the job" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len([line for line in ended.stderr.splitlines() if "--job: " in line]) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot read .*: No such file or directory"),
        ("{", "the file: Invalid JSON"),
        ('{"host": "ws://h", "typo": 1, "rate": -1}', r"rate: .*\n--job: .*job\.json: typo: "),
        ('{"host": "ws://h", "generator": 256}', "generator: "),
        ('{"host": "ws://h", "drop_kind": ["typo"]}', "drop_kind: unknown drop 'typo'"),
    ],
)
def test_job_when_its_file_makes_no_sense_then_that_is_said(tmp_path: Path, content: str | None, why: str) -> None:
    path = tmp_path / "job.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(OptionsError, match=f"^--job: {'' if content is None else '.*job.json: '}{why}"):
        read_job({"job": str(path)}, None)


def test_arguments_when_they_carry_secrets_or_name_files_then_the_web_form_does_not_show_them() -> None:
    shown = get_parser().args_included_in_web_ui
    assert {"compression", "origin", "subprotocol", "insecure"} <= shown.keys()
    assert not {"header", "ca_file", "proxy"} & shown.keys()


def test_bench_options_when_several_are_wrong_then_all_are_named_at_once() -> None:
    with pytest.raises(OptionsError) as refused:
        read_job({"ramp": 0, "drain": 0, "steady": -1}, "ws://h")
    assert {line.partition(":")[0] for line in str(refused.value).splitlines()} == {"--ramp", "--drain", "--steady"}


def test_arguments_when_locusts_parser_has_them_then_each_default_is_the_models_own() -> None:
    parsed = vars(get_parser().parse_args(["-f", "x.py"]))
    assert read_job(parsed, "ws://h") == Job(host="ws://h")


@pytest.mark.parametrize("option", OURS)
def test_help_when_locusts_parser_writes_it_then_it_shows_the_option(option: str) -> None:
    assert f"  {option} " in get_parser().format_help()


def test_arguments_when_they_are_the_benchs_then_the_web_form_does_not_show_them() -> None:
    shown = get_parser().args_included_in_web_ui
    assert {"rate", "drop_kind", "payload_size", "room_size", "drop_share"} <= shown.keys()
    assert not {*OF_A_BENCH, "job"} & shown.keys()


@pytest.mark.parametrize("option", OURS)
def test_option_when_locust_looks_for_its_own_first_then_ours_is_not_taken_for_one(option: str) -> None:
    """argparse takes `--work` for `--worker` until it has been told of a `--work`, and Locust looks before it has."""
    early = {name for action in get_empty_argument_parser()._actions for name in action.option_strings}
    assert not [theirs for theirs in {*early, *LOCUSTS_EARLY_PARSER} if theirs.startswith(option)]


def test_locust_when_given_every_option_then_it_knows_them_and_refuses_only_what_is_wrong() -> None:
    values = {"--drop-kind": "fin,rst", "--handler-work": "none", "--consumer": "sync", "--ledger": "",
              "--blocker-work": "cpu:1", "--payload-size": "64", "--origin": "http://h", "--job": "",
              "--header": "Cookie: a=1", "--message": "{marker}", "--message-form": "bytes", "--arrivals": "poisson",
              "--ca-file": "", "--push": "/ {marker}", "--proxy": "http://user:secret@h:3128"}  # fmt: skip
    flags = {"--compression", "--insecure"}
    given = [
        option if option in flags else f"{option}={values.get(option, 1)}" for option in OURS if option != "--rate"
    ]
    run = subprocess.run(
        [sys.executable, "-m", "locust", "-f", "locustfiles/echo.py", "--headless", "--host=http://no",
         "--rate=-1", *given],
        capture_output=True, text=True, timeout=60, cwd=PROJECT, check=False,
    )  # fmt: skip
    assert run.returncode == 2, run.stderr
    assert [line.partition(":")[0] for line in run.stderr.splitlines() if line.startswith("--")] == ["--host", "--rate"]
    assert "Traceback" not in run.stderr
