# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What calls need at EC2: ids tell of which kind a thing is, tags limit what may be done with it.

What tags need is in the EC2 User Guide, "Grant permission to tag Amazon EC2 resources during creation".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from localcloud.iam.needs import ANY, Asked, Need

KINDS: Mapping[str, str] = {
    "acl": "network-acl",
    "ami": "image",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "i": "instance",
    "igw": "internet-gateway",
    "key": "key-pair",
    "lt": "launch-template",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "snap": "snapshot",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
}
"""By the beginning of ids."""

MADE: Mapping[str, str] = {
    "AllocateAddress": "elastic-ip",
    "CreateInternetGateway": "internet-gateway",
    "CreateKeyPair": "key-pair",
    "CreateLaunchTemplate": "launch-template",
    "CreateNetworkAcl": "network-acl",
    "CreateNetworkInterface": "network-interface",
    "CreateRouteTable": "route-table",
    "CreateSecurityGroup": "security-group",
    "CreateSnapshot": "snapshot",
    "CreateSubnet": "subnet",
    "CreateVolume": "volume",
    "CreateVpc": "vpc",
    "ImportKeyPair": "key-pair",
    "RunInstances": "instance",
}
"""What operations make."""

# Of all that look, these alone can be limited to what they look at.
_LOOKING = ("DescribeVpcAttribute", "GetConsoleOutput")
# Of these, the first parameter alone is what they work on.
_ROUTES = ("CreateRoute", "DeleteRoute", "ReplaceRoute")
_OUTER = re.compile(r"[A-Za-z]+(\.\d+)?")
_ID = re.compile(r"([a-z]+)-[0-9a-f]{8,17}")


def needs(asked: Asked) -> Iterator[Need]:
    """What a call of EC2 needs."""
    action = f"ec2:{asked.operation}"
    if asked.operation.startswith(("Describe", "Get", "Search")) and asked.operation not in _LOOKING:
        yield Need(action)
        return
    named = [arn for name, value in asked.parameters.items() if _OUTER.fullmatch(name) for arn in _arns(asked, value)]
    request = asked.request_tag_context()
    made = MADE.get(asked.operation)
    new = [_arn(asked, made, "*")] if made else []
    if asked.operation in _ROUTES:
        named = [arn for value in asked.values("RouteTableId") for arn in _arns(asked, value)]
    if asked.operation == "DisassociateRouteTable":
        tables = [asked.known.route_table(asked.region, one) for one in asked.values("AssociationId")]
        named = [asked.arn("ec2", f"route-table/{table}") for table in tables if table]
    for arn in dict.fromkeys(named):
        context = request if asked.operation in ("CreateTags", "DeleteTags") else {}
        yield Need(action, arn, {**asked.resource_tag_context(arn), **context})
    for arn in new:
        yield Need(action, arn, request)
        if request:
            yield Need("ec2:CreateTags", arn, {**request, "ec2:createaction": asked.operation})
    if not named and not new:
        yield Need(action, ANY, request)


def _arns(asked: Asked, value: object) -> Iterator[str]:
    found = _ID.fullmatch(str(value))
    if found and found[1] in KINDS:
        yield _arn(asked, KINDS[found[1]], str(value))


def _arn(asked: Asked, kind: str, identifier: str) -> str:
    """Images and snapshots are of no account."""
    account = "" if kind in ("image", "snapshot") else asked.account
    return f"arn:aws:ec2:{asked.region}:{account}:{kind}/{identifier}"
