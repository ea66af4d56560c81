"""What Streamlit's own login has to know. It reads that from a file only; this one only its owner can read."""

import json
import os
from pathlib import Path

from stockverify import oidc
from stockverify.kept_secret import kept_secret
from stockverify.settings import Settings

_FOLDER = "dashboard"


def written(settings: Settings) -> Path | None:
    """The file, made anew for these settings; None when nobody signs in through a provider. Raises BadSetting."""
    folder = settings.data_dir / _FOLDER
    path = folder / "secrets.toml"
    if oidc.provider(settings) is None:
        path.unlink(missing_ok=True)
        return None
    text = content(settings, kept_secret(folder / "cookie.key"))
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)
    return path


def content(settings: Settings, cookie_secret: str) -> str:
    """The file's text: TOML, in which texts without control characters are written as in JSON."""
    found = oidc.provider(settings)
    if found is None:
        return ""
    values = {
        "redirect_uri": f"{settings.dashboard_link()}/oauth2callback",
        "cookie_secret": cookie_secret,
        "client_id": found.client_id,
        "client_secret": oidc.client_secret(settings),
        "server_metadata_url": found.metadata_url,
        "expose_tokens": "id",
    }
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "\n".join(["[auth]", *lines, 'client_kwargs = { code_challenge_method = "S256" }', ""])
