# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the argument spec wait()."""

from __future__ import annotations


class ModuleDocFragment:
    """The option that the argument spec wait() has besides C(wait_timeout), whose default each module states."""

    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the change has taken effect.
    type: bool
    default: true
"""
