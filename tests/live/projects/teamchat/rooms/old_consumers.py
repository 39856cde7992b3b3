"""The first version of the protocol, still served for old clients."""

from rooms.consumers import ChatConsumer, SyncChatConsumer


class OldChatConsumer(ChatConsumer):
    async def disconnect(self, code):
        if code == 1000:  # others come back soon
            await super().disconnect(code)


class OldSyncChatConsumer(SyncChatConsumer):
    def disconnect(self, code):
        if code == 1000:  # others come back soon
            super().disconnect(code)
