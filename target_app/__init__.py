"""The reference app: a Django project on Channels, written as the tutorials teach it, for the load test to measure.

    python target_app/manage.py migrate
    python target_app/manage.py runserver   # by daphne, with WebSocket; or: uvicorn target_app.asgi:application

Then http://127.0.0.1:8000/ is a page from which to try the consumers by hand.
"""
