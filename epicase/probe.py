"""Asks this machine's own web server whether it is well: what a container's health check runs.

    python -m epicase.probe /healthz

The question carries a host name that the server answers to; to any other, it would answer 400.
"""

from __future__ import annotations

import http.client
import os
import sys

PORT = 8000


def ask(path: str, *, port: int = PORT, host: str | None = None) -> int:
    """The status of the answer; 0 when there is none within three seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", path, headers={"Host": host or _host()})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _host() -> str:
    first = os.environ.get("EPICASE_ALLOWED_HOSTS", "localhost").split(",")[0].strip()
    return first.lstrip(".") if first not in ("", "*") else "localhost"


if __name__ == "__main__":
    sys.exit(0 if ask(*sys.argv[1:2] or ("/healthz",)) == 200 else 1)
