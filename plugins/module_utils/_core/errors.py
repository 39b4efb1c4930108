# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told to a person when something cannot be done. Raised anywhere, turned into fail_json once, in main()."""

from __future__ import annotations

import typing as t


class AntennaError(Exception):
    """A failure whose text is meant for a person.

    ``details`` become further keys of the failed result, for example the evidence of a failed deployment.
    """

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class AwsError(AntennaError):
    """AWS refused a call, or could not be reached.

    ``code`` is the service's error code as it stands on the wire, or the name of botocore's exception.
    """

    def __init__(self, attempted: str, answer: str, remedy: str = "", *, code: str = "") -> None:
        super().__init__(sentences(f"Could not {attempted}: {answer}", remedy), error_code=code)
        self.attempted = attempted
        self.answer = answer
        self.remedy = remedy
        self.code = code


class WaitError(AntennaError):
    """A wait ended without its goal: in a failure state, or at its deadline."""


def sentences(*parts: str) -> str:
    """Join the parts that are not empty into sentences, each with its full stop."""
    return " ".join(part.strip().rstrip(".") + "." for part in parts if part.strip())
