"""Beat's schedule: a heartbeat every five seconds."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

NAME = "antenna.heartbeat"


def announce(apps: Apps) -> None:
    """A running beat looks at this row alone; models in a migration do not send the signal that sets it."""
    changes = apps.get_model("django_celery_beat", "PeriodicTasks")
    changes.objects.update_or_create(ident=1, defaults={"last_update": timezone.now()})


def create(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    interval, _created = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(
        every=5, period="seconds"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.update_or_create(
        name=NAME, defaults={"task": NAME, "interval": interval, "expire_seconds": 30}
    )
    announce(apps)


def delete(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()
    announce(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("antenna", "0002_demo_projects"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(create, delete)]
