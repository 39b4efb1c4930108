# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""moto's server with the CloudFront of the rehearsal cloud, without its edge: ``cloudfront_server.py PORT``.

moto forgets half of a distribution's configuration, accepts every ETag and publishes no function.
"""

from __future__ import annotations

import sys
import time

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto_server import Journal
from werkzeug.serving import make_server

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
    application = Journal(DomainDispatcherApplication(create_backend_app))
    make_server("127.0.0.1", int(sys.argv[1]), application, threaded=True).serve_forever()
