# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fronts of several clouds on one machine: HAProxy shares its port with nobody."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from localcloud import images
from localcloud.ca import CertificateAuthority
from localcloud.cloud import Cloud
from localcloud.ecs.clusters import Clusters
from localcloud.elasticbeanstalk import options, platforms, ports
from localcloud.elasticbeanstalk.fleet import Fleet
from localcloud.elasticbeanstalk.instance import Tools
from localcloud.elasticbeanstalk.models import Environment
from localcloud.engine import Engine
from localcloud.firewall import Firewall, MotoSecurityGroups

ACCOUNT, REGION = "123456789012", "us-west-2"


@pytest.fixture
def clouds(localcloud: Any, tmp_path: Path) -> Iterator[list[Cloud]]:
    """Two clouds of which no more than fronts are needed; `localcloud` has made their image."""
    made = []
    for name in ("front-one", "front-two"):
        directory, engine = tmp_path / name, Engine.open(name)
        directory.mkdir()
        made.append(
            Cloud(
                id=name,
                state_dir=directory,
                account_id=ACCOUNT,
                region=REGION,
                endpoint="",
                container_endpoint="",
                registry="",
                engine=engine,
                ca=CertificateAuthority(directory),
                firewall=Firewall(engine, MotoSecurityGroups(ACCOUNT, REGION)),
                infra_image=images.tag(),
            )
        )
    yield made
    for cloud in made:
        cloud.engine.remove_all()


def fleet(cloud: Cloud) -> Fleet:
    now = datetime.now(UTC)
    environment = Environment(
        id="e-1",
        name="antenna",
        application="app",
        region=REGION,
        account=ACCOUNT,
        platform=platforms.PLATFORMS[0],
        description=None,
        cname="antenna.us-west-2.elasticbeanstalk.com",
        version_label="v1",
        status="Launching",
        direct={options.LOAD_BALANCER_TYPE: "application"},
        extension={},
        tags={},
        created=now,
        updated=now,
    )
    lent: Any = ports.Ports("one for both")
    nothing: Any = None
    return Fleet(Tools(cloud, nothing, nothing, nothing, lent), Clusters(), environment, lambda message: None)


def test_two_clouds_that_want_one_port_get_two(clouds: list[Cloud], monkeypatch: pytest.MonkeyPatch) -> None:
    # Both have looked for a free one before either listens there.
    monkeypatch.setattr(ports, "is_free", lambda port: True)
    one, two = map(fleet, clouds)
    for made in (one, two):
        made.arrange()
    assert one.environment.ports[80] != two.environment.ports[80]
    for made in (one, two):
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"http://127.0.0.1:{made.environment.ports[80]}/", timeout=5)
