"""`python -m dashboard` runs the Streamlit app with the settings of the environment."""

import os
import sys
from pathlib import Path

from dashboard import secrets_file
from stockverify.environment import from_env


def main() -> None:
    """Become the Streamlit server. What never changes is set in dashboard/.streamlit/config.toml."""
    settings = from_env(os.environ)
    flags: dict[str, str | int] = {"server.address": settings.bind, "server.port": settings.dashboard_port}
    if secrets := secrets_file.written(settings):
        flags["secrets.files"] = str(secrets)
    app = Path(__file__).with_name("app.py")
    arguments = [f"--{name}={value}" for name, value in flags.items()]
    # docs/decisions/0003: Arrow's own allocator may crash when threads come and go, as they do here.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", str(app), *arguments])  # noqa: S606


if __name__ == "__main__":
    main()
