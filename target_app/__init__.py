"""The reference app: a Django project on Channels, written as the tutorials teach it, for the load test to measure.

    python target_app/manage.py migrate
    uvicorn target_app.asgi:application     # manage.py's own runserver speaks no WebSocket

Then http://127.0.0.1:8000/ is a page from which to try the consumers by hand.
"""
