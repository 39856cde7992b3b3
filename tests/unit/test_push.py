"""Push: a template is a request or a command, is filled for a room or a user, and what comes of it is told in words."""

from __future__ import annotations

import pytest

from loadtest.load import Job
from loadtest.load.entry import Entry
from loadtest.load.markers import marker_of
from loadtest.load.push import Command, PushedTo, Request, check_push, filled, is_for_one_user, read_push
from loadtest.pushes.commands import read_command, write_outcome
from loadtest.pushes.outcome import LONGEST, Outcome, with_words
from loadtest.pushes.requests import base_of
from loadtest.users.options import OptionsError, read_job

MARKER = marker_of(1 << 56, 7)
TO = PushedTo(room=3, user=12, n=5)


@pytest.mark.parametrize(
    ("template", "push"),
    [
        ('POST /n/{room}/ {"t": "{marker}"}', Request(method="POST", url="/n/{room}/", body='{"t": "{marker}"}')),
        ("/n/?m={marker}", Request(method="POST", url="/n/?m={marker}")),
        ("GET /n/{marker}/", Request(method="GET", url="/n/{marker}/")),
        ("http://h:1/n m={marker}&u={user}", Request(method="POST", url="http://h:1/n", body="m={marker}&u={user}")),
        ("python manage.py notify {room} {marker}", Command(line="python manage.py notify {room} {marker}")),
        ("env /usr/bin/notify {marker}", Command(line="env /usr/bin/notify {marker}")),
        ("Postman {marker}", Command(line="Postman {marker}")),
    ],
)
def test_push_when_it_is_read_then_it_is_a_request_or_a_command(template: str, push: Request | Command) -> None:
    assert read_push(template) == push
    assert check_push(template) == template


@pytest.mark.parametrize(
    ("template", "problem"),
    [("POST /n/ hello", "there is no {marker} in 'POST /n/ hello'"), ("POST notify {marker}", "is no request; write")],
)
def test_push_when_it_cannot_be_one_then_it_is_refused_and_that_is_said(template: str, problem: str) -> None:
    with pytest.raises(ValueError) as refused:
        check_push(template)
    assert problem in str(refused.value)


def test_push_when_it_is_filled_then_every_part_has_its_numbers_and_other_braces_stay() -> None:
    template = read_push('PUT /r{room}/u{user}/?n={n} {"text": "{marker}", "x": {}}')
    assert filled(template, MARKER, TO) == Request(
        method="PUT", url="/r3/u12/?n=5", body=f'{{"text": "{MARKER}", "x": {{}}}}'
    )
    assert filled(Command(line="notify {room} {marker}"), MARKER, TO) == Command(line=f"notify 3 {MARKER}")


def test_push_when_it_has_payload_then_the_body_has_the_size_asked_for() -> None:
    push = filled(read_push("/n/{payload} {marker}{payload}"), MARKER, TO, 100)
    assert isinstance(push, Request)
    assert push.url == "/n/"
    assert len(push.body) == 100


@pytest.mark.parametrize(
    ("body", "content_type"),
    [('{"a": 1}', "application/json"), ("a=1", "application/x-www-form-urlencoded"), ("", "")],
)
def test_request_when_it_has_a_body_then_its_type_is_told_by_how_it_begins(body: str, content_type: str) -> None:
    assert Request(method="POST", url="/", body=body).content_type == content_type


@pytest.mark.parametrize(("template", "is_for_one"), [("/{user}/", True), ("/{room}/{user}/", False), ("/", False)])
def test_push_when_it_names_a_user_and_no_room_then_it_is_for_that_user(template: str, is_for_one: bool) -> None:
    assert is_for_one_user(template) is is_for_one


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "HTTP 400"),
        ("<!DOCTYPE html><p>no", "HTTP 400"),
        (f'{{"error": "{MARKER};\n  is no topic"}}', 'HTTP 400: {"error": "{marker}, is no topic"}'),
        ("x" * 500, f"HTTP 400: {'x' * LONGEST}"),
    ],
)
def test_outcome_when_it_is_told_then_all_that_failed_alike_has_the_same_words(text: str, said: str) -> None:
    assert with_words("HTTP 400", text) == said


def test_base_when_the_address_is_of_a_websocket_then_pages_are_at_the_same_place() -> None:
    assert base_of("ws://127.0.0.1:8000/ws/chat/") == "http://127.0.0.1:8000/"
    assert base_of("wss://example.com/ws/") == "https://example.com/"


def test_command_when_it_goes_over_a_socket_then_it_is_the_same() -> None:
    assert read_command(b'"notify \\"x\\""\n') == Command(line='notify "x"')
    assert write_outcome(Outcome(kind="fail", said="exit code 1")) == b'{"kind": "fail", "said": "exit code 1"}\n'


def test_entry_when_a_user_has_a_token_then_a_request_in_its_name_sends_it_back() -> None:
    entry = Entry(headers=("X-A: 1",), sessions=({"sessionid": "s", "csrftoken": "t"}, {"sessionid": "u"}))
    assert entry.of_request(0) == [("X-A", "1"), ("Cookie", "sessionid=s; csrftoken=t"), ("X-CSRFToken", "t")]
    assert entry.of_request(1) == [("X-A", "1"), ("Cookie", "sessionid=u")]


def test_options_when_a_command_is_to_push_without_a_bench_then_it_is_refused() -> None:
    with pytest.raises(OptionsError, match="--push: a command is run by `channels-loadtest bench` alone"):
        read_job({"push": "notify {marker}"}, "ws://h")
    assert read_job({"push": "POST /n/ {marker}"}, "ws://h").push == "POST /n/ {marker}"


def test_load_when_msgpack_is_asked_of_a_ping_that_is_no_json_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match="msgpack wants templates in JSON, and 'ping' is none"):
        Job(host="ws://h", ping_message="ping", message_form="msgpack")
