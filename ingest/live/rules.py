"""Pure decisions about live updates: what a message is, who may see it, and where a browser puts its token."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from ingest.auth.rules import Caller
from stockverify.vocabulary import GLOBAL_CHANNEL, SESSION_CHANNELS, EventType, Role

SUBPROTOCOL = "jwt"
MAX_MESSAGE_BYTES = 64 * 1024
FOR_SETTLERS = frozenset({EventType.CONFLICT_FOUND.value, EventType.CONFLICT_RESOLVED.value})


class Told(msgspec.Struct, frozen=True):
    """A message as it travels through Redis, where other programs may read and write too."""

    type: str
    channel: str
    data: dict[str, Any]
    timestamp: float


class Message(NamedTuple):
    """A message as it waits for clients: the text that they get, and what decides who gets it."""

    text: str
    channel: str
    type: str
    user_id: str | None


_decode = msgspec.json.Decoder(Told).decode


def read(channel: bytes, payload: bytes) -> Message | None:
    """A message from Redis; None for what is not of our form or names another channel than the one it came by."""
    if len(payload) > MAX_MESSAGE_BYTES:
        return None
    try:
        told, text = _decode(payload), payload.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if told.channel.encode(errors="replace") != channel:
        return None
    user_id = told.data.get("user_id")
    return Message(text, told.channel, told.type, user_id if isinstance(user_id, str) else None)


def resync(now: datetime) -> Message:
    """Messages may have been missed: fetch again what you show."""
    told = Told(EventType.RESYNC.value, GLOBAL_CHANNEL, {}, now.timestamp())
    return Message(msgspec.json.encode(told).decode(), GLOBAL_CHANNEL, told.type, None)


def may_see(message: Message, caller: Caller) -> bool:
    """Staff see racks, their own sessions, and notifications for all or for themselves; everybody else sees all."""
    if caller.role is not Role.STAFF or message.user_id == caller.user_id:
        return True
    if message.channel.startswith(SESSION_CHANNELS):
        return False
    return message.user_id is None and message.type not in FOR_SETTLERS


def offered_token(protocols: Sequence[str]) -> str | None:
    """The token in `Sec-WebSocket-Protocol: jwt, <token>`: browsers cannot set other headers of a WebSocket."""
    return protocols[1] if len(protocols) == 2 and protocols[0] == SUBPROTOCOL else None
