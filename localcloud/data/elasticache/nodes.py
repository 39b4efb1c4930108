# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server of a node is told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from localcloud.data.elasticache.group import Member, ValkeyGroup

NODE_MEMORY_MIB = {
    "cache.t4g.micro": 512,
    "cache.t4g.small": 1402,
    "cache.t4g.medium": 3164,
    "cache.t3.micro": 512,
    "cache.t3.small": 1402,
    "cache.t3.medium": 3164,
}
"""What ElastiCache gives the data of a node type, in MiB; the types of others are not limited here."""

RESTRICTED = (
    "acl|deluser",
    "acl|load",
    "acl|save",
    "acl|setuser",
    "bgrewriteaof",
    "bgsave",
    "config",
    "debug",
    "migrate",
    "psync",
    "replicaof",
    "save",
    "shutdown",
    "slaveof",
    "sync",
)
"""Commands that ElastiCache keeps from its users (User Guide, "Supported and restricted commands")."""

ADMINISTRATOR = "localcloud"


def options(group: ValkeyGroup) -> str:
    """How a client in the node's container connects."""
    return f"{'--tls --insecure ' if group.transit_encryption_enabled else ''}-p {group.port}"


def configuration(group: ValkeyGroup, member: Member, secret: str) -> str:
    """The server's configuration.

    :param secret: The password of the user by whom nodes replicate and are told what to do.
    """
    lines = [
        "bind * -::*",
        "protected-mode no",
        "dir /tmp",
        'save ""',
        "appendonly no",
        "maxmemory-policy volatile-lru",
        "repl-diskless-sync-delay 0",
        f"masteruser {ADMINISTRATOR}",
        f"masterauth {secret}",
        f"user {ADMINISTRATOR} on #{_digest(secret)} ~* &* +@all",
        f"user default {' '.join(permissions(group.auth_tokens, group.without_token))}",
    ]
    memory = NODE_MEMORY_MIB.get(group.cache_node_type)
    lines += [f"maxmemory {memory}mb"] if memory else []
    if group.transit_encryption_enabled:
        lines += [
            "port 0",
            f"tls-port {group.port}",
            "tls-replication yes",
            "tls-cert-file /run/tls/certificate.pem",
            "tls-key-file /run/tls/key.pem",
            "tls-ca-cert-file /run/tls/authority.pem",
            "tls-auth-clients no",
        ]
    else:
        lines += [f"port {group.port}"]
    if member.role == "replica":
        lines += [f"replicaof {group.home_address(group.primary.name)} {group.port}"]
    return "\n".join(lines) + "\n"


def permissions(tokens: Iterable[str], without_token: bool) -> list[str]:
    """What users may do, and by which tokens they are let in, in the server's terms."""
    entrance = ["nopass"] if without_token else [f"#{_digest(token)}" for token in tokens]
    return ["reset", "on", *entrance, "~*", "&*", "+@all", *(f"-{command}" for command in RESTRICTED)]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
