"""The words of the interactive prompt: what a line means. Pure."""

import re
import shlex
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from stockverify.errors import BadInput

HELP = """\
  racks [FLOOR]                     racks that you may claim
  claim RACK [FLOOR]                claim a rack; needs the network once
  count ITEM QTY [WORD VALUE]...    count an item; words: damage N, bin B, serial S, condition TEXT
  seen ITEM [WORD VALUE]...         the item is there, but not counted yet
  edit NUMBER [QTY] [WORD VALUE]... correct a count; show tells its number
  show                              the latest counts, and what keeps them from being sent
  sync                              send what waits, now
  retry                             send once more what the service refused
  pause, resume                     keep the rack over a break
  complete, release                 finish the rack, or give it back for others
  login                             log in again
  help, quit                        what you count is kept when you quit"""

_ALONE = frozenset({"show", "sync", "retry", "pause", "resume", "complete", "release", "login", "help", "quit", "exit"})
_NUMBER = re.compile(r"[0-9]{1,12}([.][0-9]{1,6})?")
_WORDS = {"damage": "damage_qty", "bin": "bin", "serial": "serial_numbers", "condition": "item_condition"}


class BadCommand(BadInput):
    """{reason}; type help for all commands."""


class Command(NamedTuple):
    """A line, understood: what to do, the plain words, and the fields of a count."""

    verb: str
    words: tuple[str, ...] = ()
    fields: Mapping[str, Any] = MappingProxyType({})


def read(line: str) -> Command | None:
    """What a line asks for; None for an empty one. Raises BadCommand."""
    try:
        verb, *words = shlex.split(line) or [""]
    except ValueError:
        raise BadCommand(reason="A quotation mark is missing") from None
    match verb.lower(), words:
        case "", _:
            return None
        case "count", [item, qty, *rest]:
            return Command("count", (), {"item_code": item, "verified_qty": number(qty), **_fields(rest)})
        case "seen", [item, *rest]:
            return Command("count", (), {"item_code": item, "verified_qty": None, **_fields(rest)})
        case "edit", [place, *rest]:
            return Command("edit", (place,), _changes(rest))
        case ("claim" | "racks") as known, _ if len(words) <= 2 and (words or known == "racks"):
            return Command(known, tuple(words))
        case known, [] if known in _ALONE:
            return Command(known)
    raise BadCommand(reason=f"I do not understand {line.strip()[:60]!r}")


def number(text: str) -> float:
    """A quantity: digits, with a point before decimals. Raises BadCommand."""
    if not _NUMBER.fullmatch(text):
        raise BadCommand(reason=f"{text[:40]!r} is no quantity, such as 5 or 2.5")
    return float(text)


def _changes(rest: list[str]) -> dict[str, Any]:
    if rest and rest[0] not in _WORDS:
        return {"verified_qty": number(rest[0]), **_fields(rest[1:])}
    return _fields(rest)


def _fields(rest: list[str]) -> dict[str, Any]:
    if len(rest) % 2:
        raise BadCommand(reason=f"{rest[-1][:40]!r} has no value behind it")
    fields: dict[str, Any] = {}
    for word, value in zip(rest[::2], rest[1::2], strict=True):
        if word not in _WORDS:
            raise BadCommand(reason=f"{word[:40]!r} is none of: {', '.join(_WORDS)}")
        if word == "serial":
            fields["serial_numbers"] = (*fields.get("serial_numbers", ()), value)
        else:
            fields[_WORDS[word]] = number(value) if word == "damage" else value
    return fields
