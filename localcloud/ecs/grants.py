# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance and its task may do: the three grants that secrets need on the ECS platform, and that of logs.

The developer guide asks for them under "Execution Role ARN format": the instance profile may read the secret, so may
the role that the bundle names in `executionRoleArn`, which trusts ECS's tasks, and the instance profile may pass that
role on. With such a role containers log by its rights as well, as ecs-init has the agent do
(ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE: aws/amazon-ecs-agent#2413, aws/aws-cdk#5954). The words are those of IAM, of
ECS, of the ECS agent on an EC2 instance, and of Docker's log driver (terraform-aws-modules/terraform-aws-ecs#145).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from moto.ec2.models import ec2_backends
from moto.secretsmanager.models import secretsmanager_backends

from localcloud.iam.holders import documents_of, parsed, role_of
from localcloud.policies import Asker, Document, NotJudged, permits, trusts

TASKS = "ecs-tasks.amazonaws.com"
STANDARD_KEYS = (None, "", "alias/aws/secretsmanager")


class Denied(Exception):
    """IAM does not let it; the message is that of the service that was asked."""


@dataclass(frozen=True)
class Holder:
    """Who asks: a role, assumed for a session. `policies` are all that are attached to it or in it."""

    role: str
    session: str
    account: str
    policies: tuple[Document, ...]

    def require(self, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        """:raises Denied: When its policies do not let it."""
        try:
            permitted = permits(self.policies, action, resource, context or {})
        except NotJudged as error:
            raise Denied(f"The rehearsal cloud does not judge {error} in a policy of the role {self.role}") from error
        if not permitted:
            who = f"arn:aws:sts::{self.account}:assumed-role/{self.role}/{self.session}"
            raise Denied(
                f"User: {who} is not authorized to perform: {action} on resource: {resource} because no "
                f"identity-based policy allows the {action} action"
            )


def instance_holder(account: str, region: str, instance_id: str) -> Holder:
    """The instance with the role of its profile; without a role it may do nothing.

    :raises Denied: When it has no profile with a role.
    """
    backend = ec2_backends[account][region]
    associations, _ = backend.describe_iam_instance_profile_associations([], {"instance-id": [instance_id]})
    for association in associations:
        for role in association.iam_instance_profile.roles:
            return Holder(role.name, instance_id, account, tuple(documents_of(role)))
    raise Denied("Unable to locate credentials: the instance has no instance profile with a role.")


def execution_holder(account: str, region: str, arn: str, session: str) -> Holder:
    """The task's execution role.

    :raises Denied: When there is none of that ARN, or it does not trust ECS's tasks.
    """
    role = role_of(arn)
    # Which account and which task it is for, ECS tells (developer guide, "Amazon ECS task execution IAM role").
    context = {"aws:sourceaccount": account, "aws:sourcearn": f"arn:aws:ecs:{region}:{account}:task/{session}"}
    tasks = Asker("Service", frozenset({TASKS}), context)
    try:
        trusted = role is not None and trusts(parsed(role.assume_role_policy_document), tasks)
    except NotJudged as error:
        raise Denied(f"The rehearsal cloud does not judge {error} in the trust policy of the role {arn}") from error
    if not trusted:
        raise Denied(
            f"ECS was unable to assume the role '{arn}' that was provided for this task. Please verify that the role "
            "being passed has the proper trust relationship and permissions and that your IAM user has permissions to "
            "pass this role."
        )
    return Holder(role.name, session, account, tuple(documents_of(role)))


def require_passing(instance: Holder, arn: str) -> None:
    """The instance hands the execution role to ECS when it starts the task.

    :raises Denied: When it may not.
    """
    try:
        instance.require("iam:PassRole", arn, {"iam:PassedToService": TASKS})
    except Denied as error:
        raise Denied(
            f"An error occurred (AccessDeniedException) when calling the StartTask operation: {error}"
        ) from None


def require_logging(holder: Holder, region: str, group: str, stream: str, creates: bool) -> None:
    """Docker's log driver makes the container's stream, and its group first where it is told to and there is none.

    :raises Denied: When the holder may not.
    """
    arn = f"arn:aws:logs:{region}:{holder.account}:log-group:{group}:log-stream:"
    needed = [("stream", "logs:CreateLogStream", f"{arn}{stream}")]
    for what, action, resource in [("group", "logs:CreateLogGroup", arn), *needed] if creates else needed:
        try:
            holder.require(action, resource)
        except Denied as error:
            raise Denied(f"failed to create Cloudwatch log {what}: AccessDeniedException: {error}") from None


def require_reading(holder: Holder, references: Iterable[str], parameter_action: str) -> None:
    """Whether the holder may read what `valueFrom`s refer to; what is no ARN is another's to refuse.

    :param parameter_action: How parameters are read: ssm:GetParameter by the instance, ssm:GetParameters by ECS.
    :raises Denied: Naming the first that it may not.
    """
    for reference in references:
        parts = reference.split(":")
        if len(parts) < 6:
            continue
        if parts[2] == "ssm":
            _require(
                holder, "ssm:GetParameters", reference, f"Fetching secret data from SSM Parameter Store in {parts[3]}"
            )
        elif parts[2] == "secretsmanager":
            arn = ":".join(parts[:7])
            where = f"Fetching secret data from AWS Secrets Manager in region {parts[3]}: secret {arn}"
            _require(holder, "secretsmanager:GetSecretValue", arn, where)
            _require_key(holder, parts[4], parts[3], arn, where)


def _require(holder: Holder, action: str, resource: str, where: str) -> None:
    try:
        holder.require(action, resource)
    except Denied as error:
        raise Denied(f"{where}: AccessDeniedException: {error}") from None


def _require_key(holder: Holder, account: str, region: str, arn: str, where: str) -> None:
    """A key of the customer's own has to be let too."""
    secret = secretsmanager_backends[account][region].secrets.get(arn)
    key = getattr(secret, "kms_key_id", None)
    if key in STANDARD_KEYS:
        return
    resource = key if str(key).startswith("arn:") else f"arn:aws:kms:{region}:{account}:key/{key}"
    _require(holder, "kms:Decrypt", resource, where)
