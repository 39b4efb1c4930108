# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of what the collection's modules have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """What every module that changes something keeps."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    support: full
    description:
      - Runs in check mode, and reports what a real run would change.
  diff_mode:
    support: full
    description:
      - Returns what it changed, or would change in check mode, as a difference of before and after.
  idempotent:
    support: full
    description:
      - A second run with the same parameters changes nothing.
"""

    # What only reads.
    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    description:
      - Only reads, and so does the same in check mode.
  diff_mode:
    support: N/A
    description:
      - Changes nothing.
  idempotent:
    support: full
    description:
      - Only reads.
"""

    # Modules that talk to AWS.
    AWS = r"""
options: {}
attributes:
  action_group:
    description:
      - Takes its connection from C(module_defaults) of this group, which also reaches
        the modules of amazon.aws and community.aws.
    support: full
    membership:
      - antenna.aws.aws
"""
