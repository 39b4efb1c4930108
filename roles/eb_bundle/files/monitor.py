# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints what only the broker knows of Celery: whether it answers, how many tasks wait, and how many workers live."""

import json
import os
import sys

from celery import Celery

WORKERS_ANSWER_SECONDS = 5.0


def look() -> dict[str, object]:
    """Return what is seen now; the keys that are not known are left out."""
    app = Celery(broker=os.environ["CELERY_BROKER_URL"])
    queues = [name.strip() for name in os.environ.get("CELERY_QUEUES", "antenna").split(",")]
    try:
        with app.connection_for_read() as connection:
            waiting = sum(connection.default_channel.client.llen(name) for name in queues)
            workers = len(app.control.ping(timeout=WORKERS_ANSWER_SECONDS, connection=connection))
    except Exception as error:
        return {"monitor": "celery", "broker": 0, "error": type(error).__name__}
    return {"monitor": "celery", "broker": 1, "queue_length": waiting, "workers": workers}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(look()) + "\n")
