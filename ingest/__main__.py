"""`python -m ingest` runs the HTTP service with the settings of the environment."""

import os
import sys

import uvicorn

from ingest.app import create_service
from stockverify import logs
from stockverify.errors import SetupError
from stockverify.settings import from_env


def main() -> int:
    """Serve until SIGTERM; finish what was accepted before ending."""
    try:
        settings = from_env(os.environ)
    except SetupError as error:
        print(error.message, file=sys.stderr)
        return 2
    logs.configure(settings.log_level)
    uvicorn.run(
        create_service(settings),
        host=settings.bind,
        port=settings.api_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
