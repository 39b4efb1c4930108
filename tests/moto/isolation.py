# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pytest plugin for moto's tests: what a failed setup leaves behind ends with its class.

Moto empties the server when the outermost of its mocks begins or ends. One whose setup has failed never ends, and with
it every later test would find what others have left.
"""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest


@pytest.fixture(autouse=True, scope="class")
def classes_begin_anew() -> Iterator[None]:
    from moto.core.models import ServerModeMockAWS

    ServerModeMockAWS._nested_count = 0
    yield
    patch.stopall()
