"""Wait until PostgreSQL accepts a connection; give up after DATABASE_PATIENCE seconds (600)."""

from __future__ import annotations

import logging
import os
import sys
import time

import psycopg


def connect() -> None:
    """Raises psycopg.OperationalError while the database cannot be used."""
    psycopg.connect(
        host=os.environ["POSTGRES_HOST"],
        port=os.environ["POSTGRES_PORT"],
        dbname=os.environ["POSTGRES_DB"],
        user=os.environ["POSTGRES_USER"],
        password=os.environ["POSTGRES_PASSWORD"],
        connect_timeout=5,
    ).close()


def await_database(deadline: float) -> None:
    while True:
        try:
            return connect()
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[-1]
            if time.monotonic() >= deadline:
                sys.exit(f"PostgreSQL at {os.environ['POSTGRES_HOST']} did not become available: {reason}")
            logging.warning("Waiting for PostgreSQL to become available: %s", reason)
        time.sleep(1)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    await_database(time.monotonic() + float(os.environ.get("DATABASE_PATIENCE", "600")))
    logging.info("PostgreSQL is available")
