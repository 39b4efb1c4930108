"""What the database holds."""

from __future__ import annotations

from django.db import models


class Project(models.Model):
    """A monitoring project, as the UI lists it."""

    name = models.CharField(max_length=255, unique=True)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class Heartbeat(models.Model):
    """Written by the worker every few seconds. The last hundred are kept."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    processing_service_online = models.BooleanField(null=True, help_text="Empty where no service is configured.")

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return self.at.isoformat()
