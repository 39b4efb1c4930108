# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens with which a web identity, such as a job of a workflow, asks for a role."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

AUDIENCE = "sts.amazonaws.com"


def token(issuer: str, **claims: Any) -> str:
    """A token, unsigned. It is good for years, as the clock of a cloud may have been moved."""
    body = {"iss": f"https://{issuer}", "aud": AUDIENCE, "exp": time.time() + 1e9, **claims}
    return f"e30.{base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip('=')}."
