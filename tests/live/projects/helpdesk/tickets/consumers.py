"""What is said about a ticket goes to all who look at it: customers, who are signed in, and agents' programs."""

from channels.generic.websocket import AsyncJsonWebsocketConsumer


class TicketConsumer(AsyncJsonWebsocketConsumer):
    group = None

    async def connect(self):
        if not await self.is_allowed():
            await self.close(code=4401)
            return
        self.group = f"ticket.{self.scope['url_route']['kwargs']['number']}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept(self.subprotocol)

    subprotocol = None

    async def is_allowed(self):
        return self.scope["user"].is_authenticated

    async def receive_json(self, content):
        said = {"type": "ticket.said", "by": str(self.scope["user"]), "text": content["message"]}
        await self.channel_layer.group_send(self.group, said)

    async def ticket_said(self, event):
        await self.send_json({"by": event["by"], "text": event["text"]})

    async def disconnect(self, code):
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)


class AgentConsumer(TicketConsumer):
    """Agents' programs have a token and a cookie of the load balancer's, and speak one subprotocol."""

    subprotocol = "helpdesk.v2"

    async def is_allowed(self):
        headers = dict(self.scope["headers"])
        return b"pool=" in headers.get(b"cookie", b"") and self.subprotocol in self.scope["subprotocols"]
