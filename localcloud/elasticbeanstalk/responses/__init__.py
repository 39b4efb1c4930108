# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic Beanstalk's API on moto's routing and serialization."""

from __future__ import annotations

from localcloud.elasticbeanstalk.responses.core import Services
from localcloud.elasticbeanstalk.responses.environments import Environments
from localcloud.elasticbeanstalk.responses.logs import Logs
from localcloud.elasticbeanstalk.responses.observation import Observation
from localcloud.elasticbeanstalk.responses.platforms import Platforms
from localcloud.elasticbeanstalk.responses.tags import Tags

__all__ = ["EBResponse", "Services"]


class EBResponse(Environments, Observation, Logs, Platforms, Tags):
    """One method per operation, found by moto by its name."""
