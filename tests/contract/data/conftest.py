# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A place from which databases and caches are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import docker
import pytest

from localcloud import images
from tests.support.data import Network


@pytest.fixture(scope="module")
def network(localcloud: Any, request: pytest.FixtureRequest) -> Iterator[Network]:
    name = request.module.__name__.rpartition(".")[2].replace("_", "-")
    ec2 = localcloud.client("ec2")
    vpc_id = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["Subnets"]
    groups = [
        ec2.create_security_group(GroupName=f"{name}-{role}", Description=role, VpcId=vpc_id)["GroupId"]
        for role in ("client", "store")
    ]
    engine = docker.from_env()
    made = engine.networks.create(f"localcloud-{name}")
    volumes = {str(localcloud.state_dir / "ca.pem"): {"bind": "/ca.pem", "mode": "ro"}}
    client = engine.containers.run(
        images.tag(), ["sleep", "3600"], detach=True, init=True, network=made.name, volumes=volumes, remove=True
    )
    instance = {"instance_id": f"i-{name}", "network": made.name, "security_group_ids": [groups[0]]}
    localcloud.admin("POST", "instances", instance)
    subnet_ids = [item["SubnetId"] for item in sorted(subnets, key=lambda item: item["AvailabilityZone"])[:2]]
    try:
        yield Network(localcloud, made.name, client.id, subnet_ids, *groups)
    finally:
        localcloud.admin("DELETE", f"instances?instance_id=i-{name}")
        client.remove(force=True)
        made.remove()
