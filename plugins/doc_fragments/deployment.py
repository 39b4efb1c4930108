# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of how a deployment's resources are named to the modules that look at them together."""

from __future__ import annotations


class ModuleDocFragment:
    """The options resources and identity."""

    DOCUMENTATION = r"""
options:
  resources:
    description:
      - What the deployment consists of.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description:
          - What it is. V(db_snapshots) and V(log_groups) are all those whose names begin with O(resources[].names).
        type: str
        required: true
        choices:
          - alarm
          - application
          - bucket
          - cache_subnet_group
          - dashboard
          - db_instance
          - db_parameter_group
          - db_snapshots
          - db_subnet_group
          - distribution
          - environment
          - function
          - iam_role
          - iam_user
          - log_groups
          - metric_filter
          - origin_access_control
          - replication_group
          - repository
          - route_table
          - secret
          - security_group
          - subnet
          - topic
      names:
        description:
          - Names of one or more resources of the kind; of a subnet its range, of a distribution and a route table the
            value of its tag C(Name).
        type: list
        elements: str
        required: true
      parent:
        description:
          - What the names are unique in, such as the id of the VPC, or the log group of a metric filter.
        type: str
      mark:
        description:
          - Text in the description, comment or body by which a resource is known as the deployment's where it bears no
            tags, or does not tell them, as a V(replication_group) that is not available.
          - Of an V(environment) it is the name of its application, by which it is known while it is being terminated.
        type: str
      data:
        description:
          - Whether it holds what cannot be made again.
        type: bool
        default: false
      shared:
        description:
          - Whether the deployments of an account share it. It then bears the tag C(antenna.aws), which says V(made)
            where a deployment made it, or V(adopted) where it was there before, and a tag C(antenna.aws/…) of each
            deployment that uses it, which is O(resources[].mark) of this one.
          - It is removed with the last deployment that uses it, if a deployment made it.
        type: bool
        default: false
      policies:
        description:
          - Inline policies of a shared role that are this deployment's.
        type: list
        elements: str
        default: []
  identity:
    description:
      - The tags by which a resource is known as this deployment's.
    type: dict
    required: true
"""
