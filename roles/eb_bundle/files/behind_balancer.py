# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Antenna's settings, with an answer for the health checks of a load balancer.

They ask each instance by its address and by HTTP, which Django refuses as an unknown host or sends on to HTTPS for
ever. What says that it is one is taken for a request of the distribution: it is answered by all of Django, database
included.
"""

from __future__ import annotations

from config.settings import production
from django.utils.deprecation import MiddlewareMixin

globals().update({name: value for name, value in vars(production).items() if name.isupper()})
MIDDLEWARE = ["behind_balancer.HealthChecks", *production.MIDDLEWARE]


class HealthChecks(MiddlewareMixin):
    """Serves by ASGI, as Antenna does, and by WSGI."""

    def process_request(self, request):
        if request.META.get("HTTP_USER_AGENT", "").startswith("ELB-HealthChecker/"):
            request.META.update(HTTP_HOST=production.ALLOWED_HOSTS[0], HTTP_X_FORWARDED_PROTO="https")
