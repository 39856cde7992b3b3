"""Inspection: a consumer is found through whatever an app has in front of it, and none of it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.contract.inspection import FoundPath, Inspection, read_inspection
from loadtest.contract.opening import Opening, write_opening
from loadtest.contract.overrides import Overrides, write_overrides
from loadtest.contract.variables import APPLICATION_VARIABLE, OPENING_VARIABLE, OVERRIDES_VARIABLE
from loadtest.targets.guest_path import make_guest_path

APP = r'''
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="x", INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}},
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
    ALLOWED_HOSTS=["shop.example"],
)
django.setup()

from channels.auth import AuthMiddlewareStack
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, OriginValidator, WebsocketDenier
from django.urls import path, re_path


class Chat(AsyncWebsocketConsumer):
    async def connect(self):
        raise AssertionError("a consumer ran")


class Prices(WebsocketConsumer):
    class Inner(WebsocketConsumer):
        pass


def with_tenant(inner):
    """As people write middleware: a closure that swallows what it does not expect."""
    async def app(scope, receive, send):
        try:
            await inner({**scope, "tenant": scope["path"]}, receive, send)
        except Exception:
            pass
    return app


class Guarded:
    """Keeps what is inside of it under a name of its own, and cleans up when it ends."""
    def __init__(self, wrapped):
        self.wrapped = wrapped

    async def __call__(self, scope, receive, send):
        try:
            await self.wrapped(scope, receive, send)
        finally:
            raise RuntimeError("cleaning up failed")


class TokenMiddleware:
    """Looks a user up, in a database that has no tables while an app is looked at."""
    def __init__(self, inner):
        self.inner = inner

    async def __call__(self, scope, receive, send):
        from django.contrib.auth.models import User
        scope["user"] = await User.objects.aget(username="program")
        await self.inner(scope, receive, send)


def members_only(inner):
    async def app(scope, receive, send):
        await (inner if scope["user"].is_authenticated else WebsocketDenier())(scope, receive, send)
    return app


async def refusing(scope, receive, send):
    await receive()
    await send({"type": "websocket.close", "code": 4003})


async def broken(scope, receive, send):
    raise KeyError("tenant")


shop = URLRouter([
    path("prices/<int:shop>/", Guarded(Prices.as_asgi())),
    re_path(r"inner/(?P<room>\w+)/$", Prices.Inner.as_asgi()),
])
application = ProtocolTypeRouter({"websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter([
    re_path(r"^ws/members/", members_only(URLRouter([path("<int:room>/", Guarded(Chat.as_asgi()))]))),
    path("ws/programs/<int:room>/", TokenMiddleware(Prices.as_asgi())),
    path("ws/chat/", with_tenant(Chat.as_asgi())),
    path("ws/shop/", shop),
    path("ws/refusing/", refusing),
    path("ws/partners/", OriginValidator(Chat.as_asgi(), ["https://partner.example"])),
    path("ws/broken/", broken),
])))})
'''
PATHS = ("/ws/chat/", "/ws/shop/prices/7/", "/ws/shop/inner/a/?as=me", "/ws/refusing/", "/ws/broken/", "/ws/none/",
         "/ws/partners/", "/ws/shop/prices/x/", "/ws/members/7/", "/ws/programs/7/")  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    return inspected(tmp_path_factory.mktemp("app"), *PATHS)


def inspected(folder: Path, *paths: str, opening: Opening | None = None) -> Inspection:
    (folder / "shop.py").write_text(APP)
    overrides = Overrides(database_folder=str(folder), allowed_host="127.0.0.1")
    env = {"PYTHONPATH": str(make_guest_path(folder)), APPLICATION_VARIABLE: "shop:application",
           OVERRIDES_VARIABLE: write_overrides(overrides),
           OPENING_VARIABLE: write_opening(opening or Opening())}  # fmt: skip
    program = "from loadtest.guest.inspection import main; main()"
    subprocess.run(
        [sys.executable, "-c", program, str(folder / "found.json"), *paths],
        env={**os.environ, **env}, cwd=folder, check=True, timeout=60,
    )  # fmt: skip
    return read_inspection((folder / "found.json").read_text())


def at(found: Inspection, path: str) -> FoundPath:
    (one,) = (one for one in found.paths if one.path == path)
    return one


@pytest.mark.parametrize(
    ("path", "consumer", "kind"),
    [
        ("/ws/chat/", "shop.Chat", "async"),
        ("/ws/shop/prices/7/", "shop.Prices", "sync"),
        ("/ws/shop/inner/a/?as=me", "shop.Prices.Inner", "sync"),
    ],
)
def test_path_when_middleware_and_routers_are_before_it_then_its_consumer_is_found(
    found: Inspection, path: str, consumer: str, kind: str
) -> None:
    assert at(found, path) == FoundPath(path=path, consumer=consumer, kind=kind)


@pytest.mark.parametrize("path", ["/ws/none/", "/ws/shop/prices/x/"])
def test_path_when_no_route_fits_then_it_is_not_routed(found: Inspection, path: str) -> None:
    assert not at(found, path).is_routed


def test_path_when_the_app_refuses_or_fails_before_a_consumer_then_the_problem_says_which(found: Inspection) -> None:
    assert "refused before a consumer of Channels began" in at(found, "/ws/refusing/").problem
    assert "refused before a consumer of Channels began" in at(found, "/ws/partners/").problem
    assert at(found, "/ws/broken/").problem == "KeyError: 'tenant'"


def test_path_when_a_database_without_tables_is_asked_on_the_way_then_the_consumer_behind_is_found(
    found: Inspection,
) -> None:
    path = "/ws/programs/7/"
    assert at(found, path) == FoundPath(path=path, consumer="shop.Prices", kind="sync")


def test_path_when_middleware_refuses_who_is_not_signed_in_then_a_login_tells_that_it_will_not(
    found: Inspection, tmp_path: Path
) -> None:
    path = "/ws/members/7/"
    assert "refused before a consumer of Channels began" in at(found, path).problem
    later = inspected(tmp_path, path, "/ws/members/x/", "/ws/refusing/", opening=Opening(is_let_in_later=True))
    assert at(later, path) == FoundPath(path=path, consumer="shop.Chat", kind="async")
    assert at(later, "/ws/members/x/").consumer == ""
    assert "refused before a consumer of Channels began" in at(later, "/ws/refusing/").problem


def test_app_when_it_configures_itself_then_its_own_settings_are_told_and_not_those_of_the_test(
    found: Inspection,
) -> None:
    assert found.problem == ""
    assert found.databases == {"default": "django.db.backends.postgresql shop"}
    assert found.layer == "channels.layers.InMemoryChannelLayer"
    assert found.settings == ""


def test_routes_when_routers_are_nested_then_whole_patterns_are_told(found: Inspection) -> None:
    assert {"ws/shop/prices/<int:shop>/", "ws/refusing/"} <= set(found.routes)
    assert found.packages["channels"][0].isdigit()
