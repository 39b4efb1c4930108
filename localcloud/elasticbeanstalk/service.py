# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic Beanstalk: moto's is replaced by one whose instances really run the bundle's containers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import moto.elasticbeanstalk.urls
from moto.core.utils import get_service_model

from localcloud import ecs
from localcloud.ecs.clusters import Clusters
from localcloud.ecs.tasks import Agent
from localcloud.elasticbeanstalk.balancer import HTTPS_PORT
from localcloud.elasticbeanstalk.events import Query
from localcloud.elasticbeanstalk.health import basic_colour
from localcloud.elasticbeanstalk.hooks import HostRunner
from localcloud.elasticbeanstalk.instance import Instance, Tools
from localcloud.elasticbeanstalk.lifecycle import Lifecycle
from localcloud.elasticbeanstalk.metrics import EnvironmentMetrics
from localcloud.elasticbeanstalk.models import Environment
from localcloud.elasticbeanstalk.ports import Ports
from localcloud.elasticbeanstalk.responses import EBResponse, Services
from localcloud.logs.pump import Pump

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

RECENT_EVENTS = 10


def install(cloud: Cloud) -> None:
    """Answer Elastic Beanstalk's and ECS's APIs from here on.

    :raises RuntimeError: When moto's inner shape is not the expected one.
    """
    pump, clusters = Pump(cloud), Clusters()
    agent = Agent(cloud)
    tools = Tools(cloud, agent, pump, HostRunner(cloud, pump), Ports(cloud.id))
    lifecycle = Lifecycle(cloud, tools, clusters)
    services = Services(cloud, lifecycle)
    _hook(services)
    ecs.hook(agent, clusters)
    cloud.status_providers["environments"] = lambda: status(lifecycle)
    cloud.status_providers["events"] = lambda: recent_events(lifecycle)
    cloud.lose_instance = lifecycle.lose
    cloud.environment_arn = services.environment_arn
    cloud.metric_sources.append(EnvironmentMetrics(lifecycle))
    cloud.shutdown_hooks += [lifecycle.stop, pump.stop]
    cloud.reset_hooks.append(services.forget)
    pump.start()
    lifecycle.start()


def _hook(services: Services) -> None:
    paths = moto.elasticbeanstalk.urls.url_paths
    if list(paths) != ["{0}/$"]:
        raise RuntimeError("moto's Elastic Beanstalk has other URLs than expected: not the moto that is pinned")
    shapes = get_service_model("elasticbeanstalk")._service_description["shapes"]
    # The EB CLI's own model has this member, and `eb health` fails without it; moto sends what the model knows.
    shapes["ConfigurationSettingsDescription"]["members"]["Tier"] = {"shape": "EnvironmentTier"}
    EBResponse.services = services
    paths["{0}/$"] = EBResponse.dispatch


def status(lifecycle: Lifecycle) -> Mapping[str, Any]:
    """The environments for people: name to URL, status, health and containers."""
    return {
        environment.name: _environment_status(environment)
        for service in lifecycle.services()
        for environment in service.environments(include_terminated=False)
    }


def recent_events(lifecycle: Lifecycle) -> list[dict[str, Any]]:
    """The newest events of all environments for people, oldest first."""
    found = [event for service in lifecycle.services() for event in service.events.find(Query())[:RECENT_EVENTS]]
    return [
        {
            "time": event.date.isoformat(timespec="milliseconds"),
            "severity": event.severity,
            "environment": event.subject.environment,
            "message": event.message,
        }
        for event in sorted(found, key=lambda event: event.date)[-RECENT_EVENTS:]
    ]


def _environment_status(environment: Environment) -> dict[str, Any]:
    return {
        "url": _url(environment),
        "cname": environment.cname,
        "status": environment.status,
        "health": environment.health.colour if environment.enhanced else basic_colour(environment.health),
        "health_status": environment.health.status,
        "causes": list(environment.health.causes),
        "version_label": environment.version_label,
        "ports": {str(port): local for port, local in environment.ports.items()},
        "instances": {instance.id: _instance_status(instance) for instance in environment.instances},
    }


def _url(environment: Environment) -> str | None:
    if not environment.endpoint_url:
        return None
    port = int(environment.endpoint_url.rpartition(":")[2])
    return f"{'https' if port == environment.ports.get(HTTPS_PORT) else 'http'}://{environment.endpoint_url}"


def _instance_status(instance: Instance) -> dict[str, Any]:
    deployment = instance.deployment
    return {
        "health_status": instance.health.status,
        "causes": list(instance.health.causes),
        "version_label": deployment.version_label if deployment is not None else None,
        "deployment_status": deployment.status if deployment is not None else None,
        "containers": {
            view.name: {
                "status": view.status,
                "exit_code": view.exit_code,
                "reason": view.reason,
                "restarts": sum(restart.container == view.name for restart in instance.restarts),
                "image": view.image,
                "docker_id": view.runtime_id,
            }
            for view in instance.containers()
        },
    }
