from django.urls import path

from boards import consumers

websocket_urlpatterns = [
    path("ws/board/<int:board>/pen/", consumers.PenConsumer.as_asgi()),
    path("ws/saved/", consumers.SavedConsumer.as_asgi()),
    path("ws/saved/sync/", consumers.SyncSavedConsumer.as_asgi()),
    path("ws/lobby/", consumers.LobbyConsumer.as_asgi()),
    path("ws/lobby/forgetful/", consumers.ForgetfulLobbyConsumer.as_asgi()),
]
