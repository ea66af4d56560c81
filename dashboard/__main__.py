"""`python -m dashboard` runs the Streamlit app with the settings of the environment."""

import os
import sys
from pathlib import Path

from stockverify.settings import from_env


def main() -> None:
    """Become the Streamlit server."""
    settings = from_env(os.environ)
    flags = {
        "server.address": settings.bind,
        "server.port": settings.dashboard_port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
    }
    app = Path(__file__).with_name("app.py")
    arguments = [f"--{name}={value}" for name, value in flags.items()]
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", str(app), *arguments])  # noqa: S606


if __name__ == "__main__":
    main()
