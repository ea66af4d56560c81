"""Finds the servers of a running StockVerify: `up` leaves their addresses in its data directory."""

from pathlib import Path

import msgspec

from stockverify.errors import NotRunning, SetupError
from stockverify.services.running import RUNTIME_FILE
from stockverify.settings import Settings


class RuntimeUnreadable(SetupError):
    """The file {path}, in which `stockverify up` notes its addresses, cannot be used: {problem}.
    Stop StockVerify and start it again, as the same user as this command."""


class Runtime(msgspec.Struct, frozen=True):
    """The addresses that `stockverify up` serves; they hold passwords, so that only the owner may read the file."""

    mongodb: str
    redis: str
    api: str | None = None
    dashboard: str | None = None


def running_settings(settings: Settings) -> Settings:
    """The settings with the servers that they do not name taken from the running `up`.

    Raises NotRunning when MongoDB is not known then; Redis may stay unknown, most commands do without it.
    """
    if settings.mongodb_uri and settings.redis_address():
        return settings
    runtime = _read(settings.data_dir / RUNTIME_FILE)
    if runtime is None and settings.mongodb_uri:
        return settings
    if runtime is None:
        raise NotRunning(data_dir=settings.data_dir)
    return msgspec.structs.replace(
        settings,
        mongodb_uri=settings.mongodb_uri or runtime.mongodb,
        redis_url=settings.redis_address() or runtime.redis,
    )


def _read(path: Path) -> Runtime | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Runtime)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RuntimeUnreadable(path=path, problem=error) from None
