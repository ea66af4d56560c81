"""Pure shapes of the limits on requests."""

import ipaddress
import math
from typing import NamedTuple

from litestar.datastructures import Address

from stockverify.errors import TooMany

_MICROSECONDS = 1_000_000


class TooManyRequests(TooMany):
    """This device sends more than {limit} requests a minute. Wait {retry_after} seconds, then go on."""


class TooManyStrangers(TooMany):
    """More than {limit} logins a minute come from this network address. Wait {retry_after} seconds, then try again."""


class Rate(NamedTuple):
    """So many requests a minute, all at once or evenly spread."""

    per_minute: int

    @property
    def interval(self) -> int:
        """Microseconds after which one more request is allowed."""
        return max(1, 60 * _MICROSECONDS // self.per_minute)

    @property
    def tolerance(self) -> int:
        """Microseconds by which requests may be ahead of an even spread."""
        return self.interval * (self.per_minute - 1)


def retry_after(microseconds: int) -> int:
    """Whole seconds to wait, as Retry-After says it."""
    return max(1, math.ceil(microseconds / _MICROSECONDS))


def address(client: Address | None) -> str:
    """Where a stranger comes from. One household has a whole /64 of IPv6 addresses, and counts as one."""
    host = client.host if client else ""
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return host
    return host if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))
