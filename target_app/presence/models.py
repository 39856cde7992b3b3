"""One row for each connection there was, saying whether its user is online."""

from datetime import timedelta
from typing import Any

from channels.db import database_sync_to_async
from django.db import models
from django.utils import timezone

from loadtest.contract import CONNECTION_DIGITS, CONNECTION_HEADER

_HEADER = CONNECTION_HEADER.lower().encode()
"""The request header in which a load test's client names its connection; ASGI gives names in lower case."""


class PresenceManager(models.Manager["Presence"]):
    """Marks users online and offline, from sync and (with an `a` in front) from async consumers."""

    def online(self, scope: dict[str, Any], channel: str, expires_s: float | None = None) -> None:
        """Mark the user of an accepted scope online on this channel; None: until offline() is called."""
        self.create(
            channel=channel,
            connection=_connection(scope),
            user=scope["user"].get_username() or "anonymous",
            room=scope["url_route"]["kwargs"].get("room_name", ""),
            online=True,
            expires_at=None if expires_s is None else timezone.now() + timedelta(seconds=expires_s),
        )

    def prolong(self, channel: str, expires_s: float) -> None:
        """Let the user of this channel be online for `expires_s` seconds from now."""
        self.filter(channel=channel).update(expires_at=timezone.now() + timedelta(seconds=expires_s))

    def present(self) -> models.QuerySet["Presence"]:
        """Return the rows of those who are online, without those that have expired."""
        fresh = models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=timezone.now())
        return self.filter(fresh, online=True)

    def offline(self, channel: str) -> None:
        """Mark the user of this channel offline; nothing happens when it never was online."""
        self.filter(channel=channel).update(online=False, changed_at=timezone.now())

    async def aonline(self, scope: dict[str, Any], channel: str, expires_s: float | None = None) -> None:
        """Do as online() does, from async code."""
        await database_sync_to_async(self.online)(scope, channel, expires_s)

    async def aprolong(self, channel: str, expires_s: float) -> None:
        """Do as prolong() does, from async code."""
        await database_sync_to_async(self.prolong)(channel, expires_s)

    async def aoffline(self, channel: str) -> None:
        """Do as offline() does, from async code."""
        await database_sync_to_async(self.offline)(channel)


class Presence(models.Model):
    """A user's presence on one channel, that is one connection."""

    channel = models.CharField(max_length=100, unique=True)
    connection = models.BigIntegerField(null=True, help_text="the load test's number of the connection, if it has one")
    user = models.CharField(max_length=150)
    room = models.CharField(max_length=100, help_text="empty: none")
    online = models.BooleanField()
    changed_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, help_text="online until then; empty: until it is taken offline")

    objects = PresenceManager()

    def __str__(self) -> str:
        return f"{self.user} {'online' if self.online else 'offline'} on {self.channel}"


def _connection(scope: dict[str, Any]) -> int | None:
    for name, value in scope["headers"]:
        if name == _HEADER and value.isdigit() and len(value) <= CONNECTION_DIGITS:
            return int(value)
    return None
