# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudWatch that watches: metric filters make metrics of arriving logs, servers tell theirs, alarms go off."""

from localcloud.cloudwatch.service import install

__all__ = ["install"]
