"""The API."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from rest_framework import serializers, viewsets
from rest_framework.decorators import api_view, permission_classes
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from .models import Heartbeat, Project
from .release import RELEASE

STATUS_KEPT = 2  # seconds


class ProjectSerializer(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = ["id", "name", "description", "created_at"]


class ProjectViewSet(viewsets.ModelViewSet[Project]):
    queryset = Project.objects.all()
    serializer_class = ProjectSerializer


@api_view()
@permission_classes([AllowAny])
def root(request: Request) -> Response:
    """What there is. Needs no database, so it answers before the first migration."""
    links = {name: reverse(route, request=request) for name, route in ROUTES.items()}
    return Response({**links, "version": RELEASE})


ROUTES = {"projects": "project-list", "release": "release", "status": "status"}


@api_view()
@permission_classes([AllowAny])
def release(request: Request) -> Response:
    return Response({"release": RELEASE})


def read_status() -> dict[str, Any]:
    latest = Heartbeat.objects.first()
    return {
        "release": RELEASE,
        "heartbeat": latest.at.isoformat() if latest else None,
        "processing_service_online": latest.processing_service_online if latest else None,
    }


@api_view()
@permission_classes([AllowAny])
def status(request: Request) -> Response:
    """The worker's last sign of life, by way of the cache: it answers only where both stores do."""
    return Response(cache.get_or_set("status", read_status, STATUS_KEPT))


@api_view(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@permission_classes([AllowAny])
def unknown(request: Request, *_: str) -> Response:
    raise NotFound
