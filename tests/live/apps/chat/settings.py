"""Settings of a small project: no database, no HTTP, the in-memory layer."""

SECRET_KEY = "a-key-for-a-server-on-loopback-that-holds-no-secret"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["channels", "loadtest.probe"]
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
USE_TZ = True
