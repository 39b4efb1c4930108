#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drift_info
short_description: Say of each resource whether a playbook would change it
version_added: 0.2.0
description:
  - Runs a playbook in check mode for the present host, with the inventories, extra variables and vaults of the present
    run, and tells by resource what it would change.
  - So the answer comes from the very modules that would make the changes.
  - It cannot ask for the password of a vault; give it in a file with C(--vault-password-file).
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
options:
  playbook:
    description:
      - The playbook.
    type: path
    required: true
  skip_tags:
    description:
      - Tags of the playbook whose tasks are left out.
    type: list
    elements: str
    default: []
  resources:
    description:
      - The resources, each with C(kind) and C(name), as M(antenna.aws.deployment_info) returns them.
    type: list
    elements: dict
    required: true
attributes:
  action:
    description:
      - Runs on the controller.
    support: full
extends_documentation_fragment:
  - antenna.aws.attributes.info
requirements:
  - the callback plugin ansible.posix.json
"""

EXAMPLES = r"""
- name: Compare what there is with what is declared
  antenna.aws.drift_info:
    playbook: "{{ playbook_dir }}/site.yml"
    skip_tags: [validate]
    resources: "{{ found.resources }}"
"""

RETURN = r"""
drift:
  description: Each resource, in the given order.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: What it is.
      type: str
      sample: db_instance
    name:
      description: Its name.
      type: str
      sample: antenna-postgres
    drift:
      description:
        - V(yes) where the playbook would change it, V(no) where it would not.
        - V(unknown) where the run ended before it looked, or could not begin; RV(failure) says why.
      type: str
      sample: "no"
    reasons:
      description: What would be done about it.
      type: list
      elements: str
elsewhere:
  description: Tasks that would change something else, such as a build.
  returned: success
  type: list
  elements: str
failure:
  description: Why the run in check mode ended early, or could not begin; empty where it came to its end.
  returned: success
  type: str
"""
