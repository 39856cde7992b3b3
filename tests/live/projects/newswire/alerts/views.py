import json

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from alerts.publishing import publish as publish_to


@require_POST
def publish(request, topic):
    """What the newsroom calls when an alert goes out."""
    try:
        text = json.loads(request.body)["text"]
    except (ValueError, KeyError):
        return JsonResponse({"error": "an alert has a text"}, status=400)
    publish_to(topic, text)
    return HttpResponse(status=204)
