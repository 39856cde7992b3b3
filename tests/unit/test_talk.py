"""Talk: templates become frames of each form, and a marker is found wherever an app puts it."""

from __future__ import annotations

import html
import json

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.load import Job
from loadtest.load.markers import Message, find_marker, marker_of, read_marker
from loadtest.load.talk import Talk, check_message
from loadtest.users.codec import MarkerCodec

identities = st.integers(0, 2**64 - 1)
around = st.text(max_size=30)
MARKER = marker_of(1 << 32 | 7, 99)


@given(identities, identities, around, around)
def test_marker_when_it_stands_in_any_text_or_its_bytes_then_it_is_found_and_read(
    identity: int, planned_ns: int, before: str, after: str
) -> None:
    marker = marker_of(identity, planned_ns)
    text = before + marker + after
    assert find_marker(text) == marker
    assert find_marker(text.encode()) == marker
    assert read_marker(marker) == Message(identity, planned_ns)


@pytest.mark.parametrize(
    "made",
    [
        lambda marker: json.dumps({"event": {"data": [1, {"text": f"ö {marker}!"}]}}),
        lambda marker: html.escape(f"<p>{marker}</p>"),
        lambda marker: msgpack.packb({"a": marker}),
        lambda marker: f"/search?q={marker}&x=1",
    ],
)
def test_marker_when_an_app_writes_it_in_its_own_form_then_it_is_found(made: object) -> None:
    assert find_marker(made(MARKER)) == MARKER  # type: ignore[operator]


@pytest.mark.parametrize("frame", ["", "LT", "LT" + "g" * 32 + "TL", '{"message": "hello"}', b"\x00\xff", MARKER[:-1]])
def test_frame_when_it_has_no_whole_marker_then_none_is_found(frame: str | bytes) -> None:
    assert find_marker(frame) is None


def test_message_when_it_has_room_user_and_number_then_they_are_filled_in_and_other_braces_stay() -> None:
    talk = Talk(message='{"to": "r{room}", "by": {user}, "n": {n}, "text": "{marker}", "x": {}}')
    frame = talk.of_user(room=3, user=12).frame(MARKER, 5)
    assert frame == f'{{"to": "r3", "by": 12, "n": 5, "text": "{MARKER}", "x": {{}}}}'


@given(st.integers(60, 500), st.integers(1, 9))
def test_message_when_it_has_payload_then_it_has_the_size_asked_for(size: int, n: int) -> None:
    saying = Talk(message='{"n": {n}, "t": "{marker}ü{payload}"}').of_user(room=0, user=0, payload_size=size)
    assert len(str(saying.frame(MARKER, n)).encode()) == size


def test_message_when_it_has_a_binary_form_then_the_frame_is_bytes() -> None:
    template = '{"say": "{marker}"}'
    as_bytes = Talk(message=template, form="bytes").of_user(room=0, user=0).frame(MARKER, 1)
    packed = Talk(message=template, form="msgpack").of_user(room=0, user=0).frame(MARKER, 1)
    assert as_bytes == f'{{"say": "{MARKER}"}}'.encode()
    assert isinstance(packed, bytes)
    assert msgpack.unpackb(packed) == {"say": MARKER}


def test_joins_when_they_are_made_then_each_is_a_frame_of_the_user_in_the_form_of_messages() -> None:
    talk = Talk(join=('{"join": {room}}', '{"as": "u{user}"}'), form="msgpack")
    assert [msgpack.unpackb(bytes(frame)) for frame in talk.joining(room=2, user=7)] == [{"join": 2}, {"as": "u7"}]  # type: ignore[arg-type]


@pytest.mark.parametrize("frame", ['{"event": "joined"}', b'\x00"joined"'])
def test_expected_when_a_frame_holds_the_text_then_it_is_it(frame: str | bytes) -> None:
    assert Talk(expect='"joined"').is_expected(frame)
    assert not Talk(expect="left").is_expected(frame)


def test_marker_when_it_stands_in_an_acknowledgement_then_that_is_no_message() -> None:
    talk = Talk(ack='"result"')
    assert talk.find(f'{{"id": "{MARKER}", "result": true}}') is None
    assert talk.find(f'{{"said": "{MARKER}"}}') == MARKER
    assert Talk().find(f'{{"id": "{MARKER}", "result": true}}') == MARKER


def test_template_when_it_has_no_marker_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no \{marker\} in 'hello'"):
        check_message("hello")


def test_load_when_msgpack_is_asked_of_a_template_that_is_no_json_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match=r"msgpack wants templates in JSON, and 'say \{marker\}' is none"):
        Job(host="ws://test", message="say {marker}", message_form="msgpack")


@given(identities, identities)
def test_codec_when_a_frame_comes_back_in_another_form_then_it_is_the_message(identity: int, planned_ns: int) -> None:
    codec = MarkerCodec(Talk(message='{"text": "{marker}"}').of_user(room=0, user=0).frame)
    sent = codec.encode(identity, planned_ns)
    assert codec.decode(json.dumps({"event": json.loads(sent)})) == Message(identity, planned_ns)
    assert codec.decode('{"event": "joined"}') is None
