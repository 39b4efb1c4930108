"""Three projects to look at."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

PROJECTS = {
    "Moths of the St. Lawrence Valley": (
        "Light traps on six farms between Montreal and Quebec, running every second night from May to October."
    ),
    "Barro Colorado Night Survey": (
        "Canopy and understorey stations in Panama's lowland forest, compared along a gradient of moonlight."
    ),
    "Upland Hedgerows": (
        "Twelve stations on hill farms ask whether replanted hedges bring back the moths that left with them."
    ),
}


def create(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    project = apps.get_model("antenna", "Project")
    for name, description in PROJECTS.items():
        project.objects.get_or_create(name=name, defaults={"description": description})


def delete(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("antenna", "Project").objects.filter(name__in=PROJECTS).delete()


class Migration(migrations.Migration):
    dependencies = [("antenna", "0001_initial")]
    operations = [migrations.RunPython(create, delete)]
