"""The API at /api/v2/, the admin where DJANGO_ADMIN_URL says, and a way from / to the API."""

from __future__ import annotations

from antenna import views
from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from rest_framework.routers import SimpleRouter

router = SimpleRouter()
router.register("projects", views.ProjectViewSet, basename="project")

api = [
    path("", views.root, name="api-root"),
    path("release/", views.release, name="release"),
    path("status/", views.status, name="status"),
    *router.urls,
]

urlpatterns = [
    path("", RedirectView.as_view(url="/api/v2/", permanent=False)),
    path(settings.ADMIN_URL, admin.site.urls),
    path("api/v2/", include(api)),
    # Anything else below /api/ is the API's to refuse, in JSON.
    re_path(r"^api(/.*)?$", views.unknown),
]
