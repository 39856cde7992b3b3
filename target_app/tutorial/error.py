"""error(self, message): tutorials say that Channels calls it. Nothing does, unless the mixin ErrorHook is there."""

import json

from loadtest.cures.error_hook import ErrorHook
from target_app.tutorial.offline import AsyncOfflineConsumer, OfflineConsumer


class ErrorConsumer(OfflineConsumer):
    """The room with what a tutorial adds for errors."""

    def error(self, message):
        self.send(text_data=json.dumps({"error": message}))


class AsyncErrorConsumer(AsyncOfflineConsumer):
    """The room with what a tutorial adds for errors."""

    async def error(self, message):
        await self.send(text_data=json.dumps({"error": message}))


class HookedConsumer(ErrorHook, ErrorConsumer):
    """The same, and it is true."""


class AsyncHookedConsumer(ErrorHook, AsyncErrorConsumer):
    """The same, and it is true."""
