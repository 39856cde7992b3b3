"""The tutorials' consumers, tested as tutorials test them: Django's tests with a WebsocketCommunicator.

Run by tests/live/test_tutorial.py, as `manage.py test tests.live.tutorial.consumers`.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar
from unittest.mock import patch

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.test import TransactionTestCase

from loadtest.cures.error_hook import TOLD, ErrorHook
from target_app.presence.models import Presence
from target_app.routing import websocket_urlpatterns
from target_app.tutorial import BY_NAME, PREFIX, TUTORIAL, Tutorial
from target_app.tutorial.sessions import forget_sessions, make_sessions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

APPLICATION = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
ANSWER_S = 20
HOOK_LOG = "loadtest.cures.error_hook"
HOOKED = [row for row in TUTORIAL if "error-hook" in row.name]
OFFLINE: Any = BY_NAME["tutorial-offline-sync"].consumer()
ASYNC_OFFLINE: Any = BY_NAME["tutorial-offline-async"].consumer()
UNHOOKED = [row for row in TUTORIAL if row.module == "error" and row not in HOOKED]


@asynccontextmanager
async def opened(path: str, cookies: Mapping[str, str] | None = None) -> AsyncIterator[WebsocketCommunicator]:
    communicator = made(path, cookies)
    connected, _ = await communicator.connect(ANSWER_S)
    assert connected
    yield communicator
    await communicator.disconnect(timeout=ANSWER_S)


def made(path: str, cookies: Mapping[str, str] | None = None) -> WebsocketCommunicator:
    headers = [(b"cookie", f"{name}={value}".encode()) for name, value in (cookies or {}).items()]
    return WebsocketCommunicator(APPLICATION, path, headers=headers)


def path_of(row: Tutorial, room: str = "tea") -> str:
    return row.path.replace("{room}", room)


def text(message: str) -> str:
    return json.dumps({"message": message})


async def heard(communicator: WebsocketCommunicator) -> Any:
    return await communicator.receive_from(ANSWER_S)


def members(room: str = "tea") -> list[str]:
    return list(get_channel_layer().groups.get(f"chat_{room}", {}))


async def online() -> int:
    count: int = await Presence.objects.filter(online=True).acount()
    return count


class Base(TransactionTestCase):
    """Each test begins with an empty layer."""

    def setUp(self) -> None:
        get_channel_layer().groups.clear()


class AnswersAlone(Base):
    """Those that answer the sender."""

    EXPECTED: ClassVar = {
        "echo": text("hello"),
        "chat": "Echo: hello",
        "received": "Received: hello",
        "no_connect": "hello",
    }

    async def test_answer_when_a_message_is_sent_then_it_is_as_the_tutorial_says(self) -> None:
        for row in (row for row in TUTORIAL if row.module in self.EXPECTED):
            with self.subTest(row.name):
                async with opened(path_of(row)) as communicator:
                    if row.module == "chat":
                        self.assertEqual(await heard(communicator), '{"message": "Connected"}')
                    await communicator.send_to(text("hello") if row.takes == "json" else "hello")
                    self.assertEqual(await heard(communicator), self.EXPECTED[row.module])

    async def test_chat_when_two_are_in_a_room_then_neither_hears_the_other(self) -> None:
        path = path_of(BY_NAME["tutorial-chat-async"])
        async with opened(path) as one, opened(path) as other:
            for each in (one, other):
                await heard(each)
            await one.send_to("hello")
            self.assertEqual(await heard(one), "Echo: hello")
            self.assertTrue(await other.receive_nothing())
            self.assertEqual(members(), [])

    async def test_prefix_when_the_route_is_asked_for_below_it_only_then_the_nested_router_answers(self) -> None:
        self.assertTrue(all(row.path.startswith(f"/{PREFIX}") for row in TUTORIAL if "prefixed" in row.name))
        for path in (f"/{PREFIX}ws/none/", f"/{PREFIX}", "/ws/none/"):
            self.assertEqual((await made(path).connect(ANSWER_S))[0], False)


class SignedIn(Base):
    """Those that refuse whoever is not signed in."""

    ROWS = tuple(row for row in TUTORIAL if row.is_signed_in)

    async def test_signed_in_when_nobody_is_then_the_connection_is_refused(self) -> None:
        for row in self.ROWS:
            for cookies in ({}, {"sessionid": "loadtest00000000"}):
                with self.subTest(row.name, cookies=cookies):
                    self.assertEqual((await made(path_of(row), cookies).connect(ANSWER_S))[0], False)

    async def test_signed_in_when_somebody_is_then_the_answer_has_the_users_name(self) -> None:
        cookies = await database_sync_to_async(make_sessions)(2)
        for row in self.ROWS:
            with self.subTest(row.name):
                async with opened(path_of(row), cookies[1]) as communicator:
                    await communicator.send_to("hello")
                    self.assertEqual(await heard(communicator), "loadtest-1@example.invalid: hello")

    def test_sessions_when_forgotten_then_only_ours_go(self) -> None:
        get_user_model().objects.create_user("somebody")
        make_sessions(3)
        self.assertEqual(forget_sessions(), 6)
        self.assertEqual([user.username for user in get_user_model().objects.all()], ["somebody"])


class Rooms(Base):
    """Those that pass messages on to everybody in a room."""

    ROWS = tuple(row for row in TUTORIAL if not row.answers_alone)

    async def test_room_when_a_member_speaks_then_everybody_in_it_hears_it_and_nobody_else(self) -> None:
        for row in self.ROWS:
            with self.subTest(row.name):
                async with (
                    opened(path_of(row)) as one,
                    opened(path_of(row)) as other,
                    opened(path_of(row, "coffee")) as outsider,
                ):
                    await one.send_to(text("hello"))
                    self.assertEqual([await heard(each) for each in (one, other)], [text("hello")] * 2)
                    self.assertTrue(await outsider.receive_nothing())

    async def test_disconnect_when_a_member_leaves_then_code_group_and_presence_are_dealt_with(self) -> None:
        for row in self.ROWS:
            with self.subTest(row.name), self.assertLogs("target_app.tutorial.offline", "INFO") as logged:
                async with opened(path_of(row)):
                    self.assertEqual((len(members()), await online()), (1, 1))
                self.assertEqual((members(), await online()), ([], 0))
                self.assertIn("disconnected with code: 1000", logged.output[0])


class Unhooked(Base):
    """error() without the mixin: what tutorials claim."""

    async def test_error_when_receive_raises_then_it_is_not_called_and_all_stays(self) -> None:
        for row in UNHOOKED:
            with self.subTest(row.name), patch.object(row.consumer(), "error") as error:
                get_channel_layer().groups.clear()
                await Presence.objects.all().adelete()
                communicator = made(path_of(row))
                await communicator.connect(ANSWER_S)
                await communicator.send_to("no JSON")
                with self.assertRaises(json.JSONDecodeError):
                    await communicator.wait(ANSWER_S)
                error.assert_not_called()
                self.assertEqual((len(members()), await online()), (1, 1))


class Failing:
    """Fails where `fails` says, and notes what is called."""

    fails = ""
    called: list[Any]

    def fail(self, where: str) -> None:
        if where == self.fails:
            raise LookupError(f"in {where}")


class SyncFailing(ErrorHook, Failing, OFFLINE):
    """Sync."""

    def connect(self) -> None:
        self.fail("connect")
        super().connect()

    def receive(self, text_data: str) -> None:
        self.fail("receive")
        super().receive(text_data)

    def chat_message(self, event: Any) -> None:
        self.fail("handler")
        super().chat_message(event)

    def disconnect(self, close_code: int) -> None:
        self.called.append(("disconnect", close_code))
        self.fail("disconnect")
        if hasattr(self, "room_group_name"):
            super().disconnect(close_code)

    def error(self, message: str) -> None:
        self.called.append(("error", message))

    def clean_up(self) -> None:
        self.called.append("clean_up")
        Presence.objects.offline(self.channel_name)


class AsyncFailing(ErrorHook, Failing, ASYNC_OFFLINE):
    """Async."""

    async def connect(self) -> None:
        self.fail("connect")
        await super().connect()

    async def receive(self, text_data: str) -> None:
        self.fail("receive")
        await super().receive(text_data)

    async def chat_message(self, event: Any) -> None:
        self.fail("handler")
        await super().chat_message(event)

    async def disconnect(self, close_code: int) -> None:
        self.called.append(("disconnect", close_code))
        self.fail("disconnect")
        if hasattr(self, "room_group_name"):
            await super().disconnect(close_code)

    async def error(self, message: str) -> None:
        self.called.append(("error", message))

    async def clean_up(self) -> None:
        self.called.append("clean_up")
        await Presence.objects.aoffline(self.channel_name)


class Hooked(Base):
    """The mixin, wherever the consumer fails."""

    KINDS = (SyncFailing, AsyncFailing)

    @asynccontextmanager
    async def failing(self, kind: type[Any], where: str) -> AsyncIterator[tuple[WebsocketCommunicator, list[Any]]]:
        """Give a connection whose consumer fails there, what it calls, and expect one exception in the log."""
        called: list[Any] = []
        cls: Any = type(kind.__name__, (kind,), {"fails": where, "called": called})
        kwargs = {"url_route": {"kwargs": {"room_name": "tea"}}}
        communicator = WebsocketCommunicator(cls.as_asgi(), "/ws/")
        communicator.scope.update(kwargs, user=get_user_model()())
        with self.subTest(kind.__name__, where=where), self.assertLogs(HOOK_LOG, "ERROR") as logged:
            connected, _ = await communicator.connect(ANSWER_S)
            self.assertTrue(connected, "also where connect() fails: it could be told nothing else")
            yield communicator, called
        self.assertIn(f"LookupError: in {where}", logged.output[0])
        self.assertIn("Traceback", logged.output[0])

    async def assert_told_and_closed(self, communicator: WebsocketCommunicator) -> None:
        self.assertEqual(await heard(communicator), TOLD)
        self.assertEqual(await communicator.receive_output(ANSWER_S), {"type": "websocket.close", "code": 1011})
        await communicator.wait(ANSWER_S)
        self.assertEqual((members(), await online()), ([], 0))

    async def test_hook_when_connect_receive_or_a_handler_raises_then_all_is_told_closed_and_cleaned(self) -> None:
        for kind in self.KINDS:
            for where in ("connect", "receive", "handler"):
                async with self.failing(kind, where) as (communicator, called):
                    if where != "connect":
                        await communicator.send_to(text("hello"))
                    await self.assert_told_and_closed(communicator)
                    self.assertEqual(called, [("error", f"LookupError: in {where}"), ("disconnect", 1011), "clean_up"])

    async def test_hook_when_disconnect_raises_then_it_is_not_called_again_and_cleanup_runs(self) -> None:
        for kind in self.KINDS:
            async with self.failing(kind, "disconnect") as (communicator, called):
                await communicator.disconnect(code=4000, timeout=ANSWER_S)
                self.assertEqual(called, [("disconnect", 4000), ("error", "LookupError: in disconnect"), "clean_up"])
                self.assertEqual(await online(), 0)

    async def test_hook_when_the_server_refuses_the_code_then_it_is_left_to_close_by_what_is_raised(self) -> None:
        """As daphne does; the rest has been done by then."""
        for kind in self.KINDS:
            called: list[Any] = []
            cls: Any = type(kind.__name__, (kind,), {"fails": "receive", "called": called})
            messages = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": text("hello")}]
            sent: list[str] = []

            async def receive(messages: list[Any] = messages) -> Any:
                return messages.pop(0) if messages else await asyncio.Event().wait()

            async def send(message: Any, sent: list[str] = sent) -> None:
                if message.get("code") == 1011:
                    raise ValueError("invalid close code")
                sent.append(message["type"])

            scope = {"type": "websocket", "headers": [], "user": get_user_model()()}
            scope["url_route"] = {"kwargs": {"room_name": "tea"}}
            with self.subTest(kind.__name__), self.assertLogs(HOOK_LOG, "ERROR"), self.assertRaises(LookupError):
                await cls.as_asgi()(scope, receive, send)
            self.assertEqual(sent, ["websocket.accept", "websocket.send"])
            self.assertEqual([each[0] for each in called[:2]] + called[2:], ["error", "disconnect", "clean_up"])
            self.assertEqual((members(), await online()), ([], 0))

    async def test_hook_when_all_goes_well_then_only_disconnect_and_cleanup_are_called(self) -> None:
        for kind in self.KINDS:
            called: list[Any] = []
            cls: Any = type(kind.__name__, (kind,), {"called": called})
            communicator = WebsocketCommunicator(cls.as_asgi(), "/ws/")
            communicator.scope.update(url_route={"kwargs": {"room_name": "tea"}}, user=get_user_model()())
            with self.subTest(kind.__name__), self.assertNoLogs(HOOK_LOG, "INFO"):
                await communicator.connect(ANSWER_S)
                await communicator.disconnect(timeout=ANSWER_S)
                self.assertEqual(called, [("disconnect", 1000), "clean_up"])


class BadInput(Base):
    """The row that is robust, with what nobody should send."""

    async def test_hooked_when_the_text_is_no_json_then_it_is_told_and_nothing_stays(self) -> None:
        for row in HOOKED:
            for said in ("no JSON", "[]", "{}"):
                with self.subTest(row.name, said=said), self.assertLogs(HOOK_LOG, "ERROR"):
                    communicator = made(path_of(row))
                    await communicator.connect(ANSWER_S)
                    await communicator.send_to(said)
                    self.assertEqual(list(json.loads(await heard(communicator))), ["error"])
                    self.assertEqual((await communicator.receive_output(ANSWER_S))["code"], 1011)
                    await communicator.wait(ANSWER_S)
                    self.assertEqual((members(), await online()), ([], 0))

    async def test_hooked_when_a_layer_refuses_the_rooms_name_then_it_is_told_and_nothing_stays(self) -> None:
        for row in HOOKED:
            with self.subTest(row.name), self.assertLogs(HOOK_LOG, "ERROR"):
                communicator = made(path_of(row, "Küche"))
                await communicator.connect(ANSWER_S)
                self.assertIn("TypeError", json.loads(await heard(communicator))["error"])
                self.assertEqual((await communicator.receive_output(ANSWER_S))["code"], 1011)
                await communicator.wait(ANSWER_S)
                self.assertEqual((get_channel_layer().groups, await online()), ({}, 0))

    async def test_room_when_its_name_is_none_then_every_consumer_refuses(self) -> None:
        for row in (row for row in TUTORIAL if "{room}" in row.path):
            for room in ("", "a-b", "a/b", "a b"):
                with self.subTest(row.name, room=room):
                    self.assertEqual((await made(path_of(row, room)).connect(ANSWER_S))[0], False)
        self.assertEqual((get_channel_layer().groups, await online()), ({}, 0))
