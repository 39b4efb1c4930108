# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of a rehearsal cloud, as the account's administrator."""

from __future__ import annotations

from typing import Any

import boto3

REGION = "us-west-2"


def client(service: str, endpoint: str, region: str = REGION) -> Any:
    """The client of a service."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id="testing",
        aws_secret_access_key="testing-secret",
    )
