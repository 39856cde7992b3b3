"""The HTTP views: a page to try the consumers from a browser, and a health check."""

from channels.layers import get_channel_layer
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_protect

from target_app.consumers import CONSUMERS
from target_app.tutorial import TUTORIAL


@csrf_protect  # there is a form on it, to sign out
def page(request: HttpRequest) -> HttpResponse:
    """Show the page from which a person opens a socket and sends messages."""
    context = {"consumers": CONSUMERS, "tutorials": TUTORIAL, "user": request.user}
    return render(request, "target_app/page.html", context)


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer "ok" once the database answers a query and the channel layer can be made; else 503 and the reason."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM presence_presence WHERE 1 = 0")  # the table is there: migrated
        get_channel_layer()
    except Exception as error:  # noqa: BLE001 - whatever is wrong, the caller is told
        return HttpResponse(f"{type(error).__name__}: {error}", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")
