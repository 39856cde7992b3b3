from channels.routing import URLRouter
from django.urls import path, re_path

from tickets import consumers
from tickets.members import MembersOnly
from tickets.tokens import TokenMiddleware

tickets = [path("ticket/<int:number>/", consumers.TicketConsumer.as_asgi())]
agents = [path("ticket/<int:number>/", consumers.AgentConsumer.as_asgi())]

websocket_urlpatterns = [
    re_path(r"^ws/agent/", TokenMiddleware(URLRouter(agents))),
    re_path(r"^ws/members/", MembersOnly(URLRouter(tickets))),
    re_path(r"^ws/", URLRouter(tickets)),
]
