#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: role_variables
short_description: Judge the variables of several roles together
version_added: 0.1.0
description:
  - Compares the variables of a host with the argument specs of roles before any of them runs. Ansible itself looks at
    one role when its turn comes, and does not mind variables that no role knows.
  - Fails with one message that names each variable that is required and not set, that no role knows, or that has
    another type than its role wants, and all values that do not go together.
  - The C(meta/relations.yml) of each role says what values mean together. It is a list of templates, C(holds) and
    C(message), with C(vars) of its own where they help; the message of each one that does not hold is among the
    problems. Nothing is said of those that need a variable which is itself lacking, misspelt or of another type.
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
options:
  roles_path:
    description:
      - Directory of the roles.
    type: path
    required: true
  roles:
    description:
      - Names of the roles. A variable that begins with the name of one and an underscore belongs to it.
    type: list
    elements: str
    required: true
  prefixes:
    description:
      - More beginnings of the names of variables that belong to the roles.
    type: list
    elements: str
    default: []
attributes:
  action:
    description:
      - Runs on the controller.
    support: full
extends_documentation_fragment:
  - antenna.aws.attributes.info
"""

EXAMPLES = r"""
- name: Judge the variables
  antenna.aws.role_variables:
    roles_path: "{{ role_path }}/.."
    roles: [network, data_tier]
    prefixes: [antenna_]
"""

RETURN = r"""
problems:
  description: What is wrong, one sentence for each.
  returned: always
  type: list
  elements: str
  sample:
    - "network_vpc_idd is not a variable of any role: did you mean network_vpc_id?"
"""
