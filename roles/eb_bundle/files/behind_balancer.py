# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Antenna's settings, with an answer for the health checks of a load balancer.

They ask each instance by its address and by HTTP, which Django refuses as an unknown host or sends on to HTTPS for
ever. What says that it is one is taken for a request of the distribution: it is answered by all of Django, database included.
"""

from __future__ import annotations

from asgiref.sync import iscoroutinefunction
from config.settings import production
from django.utils.decorators import sync_and_async_middleware

globals().update({name: value for name, value in vars(production).items() if name.isupper()})
MIDDLEWARE = ["behind_balancer.health_checks", *production.MIDDLEWARE]


@sync_and_async_middleware
def health_checks(get_response):
    from django.conf import settings

    def admit(request):
        if request.META.get("HTTP_USER_AGENT", "").startswith("ELB-HealthChecker/"):
            request.META.update(HTTP_HOST=settings.ALLOWED_HOSTS[0], HTTP_X_FORWARDED_PROTO="https")

    if iscoroutinefunction(get_response):

        async def answer(request):
            admit(request)
            return await get_response(request)

    else:

        def answer(request):
            admit(request)
            return get_response(request)

    return answer
