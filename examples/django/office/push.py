import json
import logging
from http.client import HTTPException
from urllib.parse import quote
from urllib.request import Request, urlopen

from django.conf import settings

logger = logging.getLogger(__name__)


def publish(channel, data):
    """Publishes an object as JSON. If nginx is away, the page loads the state when it is connected again."""
    url = f"{settings.PUSH_URL}/pub/{quote(channel, safe='')}"
    request = Request(url, json.dumps(data).encode(), {"Content-Type": "application/json"})
    try:
        urlopen(request, timeout=5).close()
    except (OSError, HTTPException) as error:
        logger.warning("%s was not published: %s", channel, error)
