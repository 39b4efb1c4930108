# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""moto's server with the CloudFront of the rehearsal cloud, without its edge.

moto forgets half of a distribution's configuration, accepts every ETag and publishes no function.
"""

from __future__ import annotations

import time

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto_server import serve

from localcloud import cloudfront
from localcloud.cloudfront import resources

SECONDS = 0.5

if __name__ == "__main__":
    cloudfront._replace_backend()
    resources.configure(
        resources.Runtime(
            clock=time.time,
            deploy_seconds=lambda: SECONDS,
            invalidation_seconds=lambda: SECONDS,
            open_listeners=lambda distribution: resources.Ports(443, 80),
            close_listeners=lambda distribution_id: None,
        )
    )
    serve(DomainDispatcherApplication(create_backend_app))
