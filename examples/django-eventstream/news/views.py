from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST
from django_eventstream import get_current_event_id

from .models import Item


@never_cache
@ensure_csrf_cookie
@require_GET
def items(request):
    """The latest items, newest first, and from where the page goes on by events."""
    # Read before the items: an event between the two comes again, and is not lost.
    last_event_id = get_current_event_id(["news"])
    latest = [item.as_dict() for item in Item.objects.order_by("-pk")[:100]]
    return JsonResponse({"lastEventId": last_event_id, "items": latest})


@require_POST
def publish(request):
    Item.objects.create(text=request.POST["text"])
    return HttpResponse(status=204)
