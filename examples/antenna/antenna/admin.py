"""What the admin shows."""

from __future__ import annotations

from django.contrib import admin

from .models import Heartbeat, Project

admin.site.register(Project, list_display=["name", "created_at"])
admin.site.register(Heartbeat, list_display=["at", "processing_service_online"])
