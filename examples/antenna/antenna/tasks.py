"""What the worker does. Beat's schedule is in the database, put there by a migration."""

from __future__ import annotations

from urllib.error import URLError
from urllib.request import urlopen

from celery import shared_task
from django.conf import settings

from .models import Heartbeat

KEPT = 100


def processing_service_online() -> bool | None:
    """Whether the default processing service answers; None where none is configured."""
    endpoint = settings.DEFAULT_PROCESSING_SERVICE_ENDPOINT
    if not endpoint:
        return None
    try:
        with urlopen(f"{endpoint.rstrip('/')}/livez", timeout=2) as answer:  # noqa: S310  (the operator names it)
            return answer.status == 200
    except (URLError, OSError):
        return False


@shared_task(name="antenna.heartbeat")
def heartbeat() -> None:
    Heartbeat.objects.create(processing_service_online=processing_service_online())
    kept = Heartbeat.objects.order_by("-at").values("pk")[:KEPT]
    Heartbeat.objects.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()
