"""For the desktop client: JSON-RPC 2.0, with a result for every call."""

import asyncio

from channels.generic.websocket import AsyncJsonWebsocketConsumer

KEEP_ALIVE_S = 30


class RpcConsumer(AsyncJsonWebsocketConsumer):
    room = None
    keeping_alive = None

    async def receive_json(self, content):
        result = await getattr(self, f"call_{content['method']}")(**content["params"])
        await self.send_json({"jsonrpc": "2.0", "id": content["id"], "result": result})

    async def call_join(self, room):
        self.room = f"rpc.{room}"
        await self.channel_layer.group_add(self.room, self.channel_name)
        self.keeping_alive = asyncio.create_task(self.keep_alive())
        return {"joined": room}

    async def call_say(self, text):
        await self.channel_layer.group_send(self.room, {"type": "rpc.said", "text": text})
        return {"stored": text}

    async def rpc_said(self, event):
        await self.send_json({"jsonrpc": "2.0", "method": "said", "params": {"text": event["text"]}})

    async def keep_alive(self):
        while True:
            await asyncio.sleep(KEEP_ALIVE_S)
            await self.send_json({"jsonrpc": "2.0", "method": "alive", "params": {"text": ""}})

    async def disconnect(self, code):
        if self.room:
            self.keeping_alive.cancel()
            await self.channel_layer.group_discard(self.room, self.channel_name)


class BetaRpcConsumer(RpcConsumer):
    """Not announced yet."""

    async def disconnect(self, code):
        if self.room:
            await self.channel_layer.group_discard(self.room, self.channel_name)
