# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts our services into moto, before its first request."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, cast

from localcloud import firewall

if TYPE_CHECKING:
    from localcloud.clock import Clock
    from localcloud.cloud import Cloud

SERVICES: tuple[str, ...] = (
    "localcloud.managedpolicies",
    "localcloud.s3",
    "localcloud.certificates",
    "localcloud.ecr",
    "localcloud.data.rds",
    "localcloud.data.elasticache",
    "localcloud.elasticbeanstalk",
    "localcloud.cloudfront",
    "localcloud.cloudwatch",
)
"""Modules with an `install(cloud)`, in the order in which they are called."""

MOTO_VERSION = "5.2.5"


class Service(Protocol):
    """A service package."""

    def install(self, cloud: Cloud) -> None:
        """Hook into moto.

        :raises RuntimeError: When moto's inner shape is not the expected one.
        """


def prepare_environment() -> None:
    """Moto's settings; it reads some of them when it is imported."""
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    # Otherwise `172.17.0.1:5566` would be taken for the bucket `172`.
    os.environ["S3_IGNORE_SUBDOMAIN_BUCKETNAME"] = "true"
    # Moto itself must find no credentials and no endpoint of the person who starts it.
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "MOTO_ACCOUNT_ID"):
        os.environ.pop(name, None)


def install(cloud: Cloud) -> None:
    """Install every service of `SERVICES`.

    :raises RuntimeError: When moto is not the one that our hooks were written for.
    """
    import moto

    if moto.__version__ != MOTO_VERSION:
        raise RuntimeError(f"moto {moto.__version__} is installed, but our hooks fit {MOTO_VERSION}: make python")
    _set_default_account(cloud.account_id)
    _set_default_region(cloud.region)
    _follow(cloud.clock)
    firewall.install(cloud.firewall)
    for name in SERVICES:
        cast("Service", importlib.import_module(name)).install(cloud)


def _follow(clock: Clock) -> None:
    """Let moto ask our clock: what it writes down is in the time that the rest of the cloud lives in.

    Modules that are there already have the function under its name; those to come import ours.
    """
    from moto.core import utils

    original = getattr(utils, "utcnow", None)
    if original is None or "utcnow()" not in inspect.getsource(utils.unix_time):
        raise RuntimeError("moto asks for the time elsewhere: not the moto that requirements.txt pins")

    def utcnow() -> datetime:
        return clock.now().replace(tzinfo=None)

    for module in list(sys.modules.values()):
        if module is not None and module.__name__.startswith("moto.") and vars(module).get("utcnow") is original:
            vars(module)["utcnow"] = utcnow


def _set_default_account(account_id: str) -> None:
    """The account of callers whose keys are in none. By its own setting moto would have all keys in this one."""
    from moto.iam import models

    if "return DEFAULT_ACCOUNT_ID" not in inspect.getsource(models.get_account_id_from):
        raise RuntimeError("moto finds a key's account elsewhere: not the moto that requirements.txt pins")
    models.DEFAULT_ACCOUNT_ID = account_id


def _set_default_region(region: str) -> None:
    """The region of calls that do not name one, as anonymous reads from S3."""
    from moto.core.responses import BaseResponse
    from moto.moto_server import werkzeug_app

    if not hasattr(BaseResponse, "default_region") or not hasattr(werkzeug_app, "DEFAULT_SERVICE_REGION"):
        raise RuntimeError("moto keeps its default region elsewhere: not the moto that requirements.txt pins")
    BaseResponse.default_region = region
    werkzeug_app.DEFAULT_SERVICE_REGION = ("s3", region)
