# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""S3: moto's, with buckets that are closed when they are new and policies that are judged with their conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import moto.s3.models
from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import S3ClientError

from localcloud.policies import NotJudged
from localcloud.s3.access import Caller, by_policy
from localcloud.s3.guard import ENFORCED

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

_MOTOS = moto.s3.models.FakeBucket


class Bucket(_MOTOS):  # type: ignore[misc,valid-type]
    """As buckets are since April 2023: no ACLs, no public access, until one is told otherwise.

    https://aws.amazon.com/blogs/aws/heads-up-amazon-s3-security-changes-are-coming-in-april-of-2023/
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ownership_rule = ENFORCED
        self.public_access_block = moto.s3.models.PublicAccessBlock(True, True, True, True)

    def get_permission(self, action: str, resource: str) -> PermissionResult:
        """What the policy says to an identity of the account; moto's does not look at conditions.

        :raises S3ClientError: When the policy says what is not judged here.
        """
        try:
            verdict = by_policy(self, Caller(None, self.account_id, signed=True), action, resource)
        except NotJudged as error:
            raise S3ClientError("NotImplemented", f"Bucket policies with {error} are not judged here") from error
        return {None: PermissionResult.NEUTRAL, True: PermissionResult.PERMITTED, False: PermissionResult.DENIED}[
            verdict
        ]


def install(cloud: Cloud) -> None:
    """Have moto make such buckets.

    :raises RuntimeError: When moto's inner shape is not the expected one.
    """
    if not hasattr(_MOTOS, "get_permission") or not hasattr(moto.s3.models, "PublicAccessBlock"):
        raise RuntimeError("moto's S3 has another shape than expected: not the moto that requirements.txt pins")
    moto.s3.models.FakeBucket = Bucket
