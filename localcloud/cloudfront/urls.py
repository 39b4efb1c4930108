# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every path of the CloudFront API leads to one responder, which finds the operation in botocore's model."""

from __future__ import annotations

from localcloud.cloudfront.responses import CloudFrontResponse

url_bases = [
    r"https?://cloudfront\.amazonaws\.com",
    r"https?://cloudfront\.(.+)\.amazonaws\.com",
]
url_paths = {"{0}/2020-05-31/(?P<operation_path>.+)$": CloudFrontResponse.dispatch}
