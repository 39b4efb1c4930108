# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ranges of the default VPC a deployment has where its inventory names none."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from tests.support.roles import evaluated, variables_of

VPC = ip_network("172.31.0.0/16")
ZONES = 6
"""So many has the region with the most, us-east-1; AWS gives each the next /20 of the default VPC."""


def ranges(name: str) -> list[str]:
    variables = {**variables_of("network"), "antenna_name": name, "antenna_region": "us-east-1"}
    return list(evaluated("{{ network_private_subnets | map(attribute='cidr') }}", variables))


@pytest.mark.parametrize("name", ["antenna", "antenna-staging", *(f"antenna-{number}" for number in range(20))])
def test_they_are_no_default_subnets(name: str) -> None:
    default = list(VPC.subnets(new_prefix=20))[:ZONES]
    assert [(cidr, zone) for cidr in ranges(name) for zone in default if ip_network(cidr).overlaps(zone)] == []
    assert all(ip_network(cidr).subnet_of(VPC) for cidr in ranges(name))


def test_staging_and_production_do_not_meet() -> None:
    assert set(ranges("antenna")) & set(ranges("antenna-staging")) == set()
