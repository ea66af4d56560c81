"""Secrets that are made once and kept in a file that only its owner can read."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from stockverify.settings import Settings


def kept_secret(path: Path, size: int = 32) -> str:
    """The hexadecimal secret in `path`, of `size` random bytes; made, whole or not at all, when it is not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(size))
        with suppress(FileExistsError):  # another process was faster: its secret counts
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()


def signing_secret(settings: Settings) -> str:
    """STOCKVERIFY_SECRET, or one that is made once and kept where only the owner of the data directory can read it."""
    return settings.secret or kept_secret(settings.data_dir / "secret.key")
