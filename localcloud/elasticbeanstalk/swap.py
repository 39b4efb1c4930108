# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two environments change their names: who was called one is called the other from then on.

Events as the developer guide's page on `eb swap` shows them.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from localcloud.elasticbeanstalk.fleet import address_of
from localcloud.elasticbeanstalk.models import Beanstalk, Environment
from localcloud.elasticbeanstalk.operation import Operation

if TYPE_CHECKING:
    from localcloud.cloud import Cloud


def swap(cloud: Cloud, operation: Operation, service: Beanstalk, destination: Environment) -> None:
    """Let the operation's environment and `destination`, both Updating, have each other's CNAME."""

    def run() -> None:
        # Who works on them already ends first. Always in the same order: two swaps would wait for each other for ever.
        with contextlib.ExitStack() as working:
            for environment in sorted((operation.environment, destination), key=lambda item: item.id):
                working.enter_context(environment.working)
            _swap(cloud, operation, service, destination)

    threading.Thread(target=run, daemon=True).start()


def _swap(cloud: Cloud, operation: Operation, service: Beanstalk, destination: Environment) -> None:
    source = operation.environment
    both = f"environments '{source.name}' and '{destination.name}'"
    source.operation_started = destination.operation_started = cloud.clock.now()
    operation.say("INFO", "swapEnvironmentCNAMEs is starting.")
    operation.say("INFO", f"Swapping CNAMEs for {both}.")
    cloud.clock.wait(cloud.latency.of("elasticbeanstalk.swap"))
    with service.lock:
        source.cname, destination.cname = destination.cname, source.cname
        for environment in (source, destination):
            _point(cloud, environment)
            operation.say("INFO", f"'{environment.cname}' now points to '{environment.endpoint_url}'.")
            environment.updated = cloud.clock.now()
            # Their application may be deleted meanwhile: then their ends wait for this one.
            if environment.status == "Updating":
                environment.status = "Ready"
    operation.say("INFO", f"Completed swapping CNAMEs for {both}.")


def _point(cloud: Cloud, environment: Environment) -> None:
    if environment.endpoint_url:
        cloud.names.set(environment.cname, address_of(environment))
