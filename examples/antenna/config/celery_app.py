"""What the worker, beat and Flower run."""

from __future__ import annotations

from celery import Celery

app = Celery("antenna")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
