# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of what Elastic Beanstalk makes for an environment in other services."""

from __future__ import annotations

import secrets

from localcloud.elasticbeanstalk.balancer import DEFAULT, Layout
from localcloud.elasticbeanstalk.models import Environment


def create_load_balancer(environment: Environment, layout: Layout) -> list[str]:
    """Name the load balancer and its target groups, of which a classic one has none; returns the groups' names."""
    made = environment.resources
    where = f"arn:aws:elasticloadbalancing:{environment.region}:{environment.account}"
    if layout.kind == "classic":
        made.load_balancer = f"awseb-{environment.id[:3]}-AWSEBLoa-{secrets.token_hex(7).upper()[:13]}"
        return []
    made.load_balancer = f"{where}:loadbalancer/app/awseb--AWSEB-{secrets.token_hex(6)}/{secrets.token_hex(8)}"
    names = {item.name: f"awseb-AWSEB-{secrets.token_hex(6).upper()}" for item in layout.processes}
    made.target_groups = {
        process: f"{where}:targetgroup/{name}/{secrets.token_hex(8)}" for process, name in sorted(names.items())
    }
    return [names[DEFAULT], *(name for process, name in names.items() if process != DEFAULT)]


def delete_load_balancer(environment: Environment) -> None:
    """Forget them."""
    environment.resources.load_balancer = None
    environment.resources.target_groups = {}
