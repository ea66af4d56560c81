"""What can go wrong between a device and the service. None of it ever costs a count."""

from stockverify.errors import BadInput, Refused, StockVerifyError, Unauthorized


class Offline(StockVerifyError):
    """The service at {url} cannot be reached ({reason}). What you count is kept and sent later."""


class TooSlow(Offline):
    """The service at {url} did not answer in time ({reason}). What you count is kept and sent later."""


class NotTheService(Offline):
    """What answers at {url} is not StockVerify ({reason}). Check the address, and whether the network wants a login
    of its own. What you count is kept and sent later."""


class ServerBusy(StockVerifyError):
    """The service asks for a pause ({status}): {detail}"""

    def __init__(self, *, status: int, detail: str, retry_after: float | None) -> None:
        super().__init__(status=status, detail=detail, retry_after=retry_after)
        self.retry_after = retry_after


class ServerFailed(StockVerifyError):
    """The service failed ({status}): {detail}"""


class LoginNeeded(Unauthorized):
    """You are logged out: {detail} Log in again; what you counted is kept."""


class WrongLogin(LoginNeeded):
    """The login was refused: {detail}"""


class ServiceRefused(Refused):
    """The service refused ({status}): {detail}"""

    def __init__(self, *, status: int, detail: str) -> None:
        super().__init__(status=status, detail=detail)
        self.status = status


class BadAddress(BadInput):
    """{url!r} is no address of a service. It looks like http://192.168.1.20:8000 or https://stock.example.com."""


class BadDeviceName(BadInput):
    """{device_id!r} is no name of a device: 1 to 64 letters, digits, dots, dashes and underscores, please."""


class BadCount(BadInput):
    """This count cannot be kept: {reason}."""


class UnknownCount(BadInput):
    """There is no count {client_record_id!r} on this device; it may have been sent and cleared away long ago."""


class NoRack(BadInput):
    """This device holds no rack; claim one first, which needs the network once."""


class AnotherRackHeld(BadInput):
    """This device holds rack {rack_id}; complete or release it before you claim another one."""


class AnotherPersonsCounts(Refused):
    """This device keeps {pending} counts of {username} that are not sent yet. Log in as {username} and sync first:
    the service takes counts from the person who made them only."""


class CountsNotSent(Refused):
    """{waiting} counts wait to be sent and {parked} are parked, so the rack is kept. Sync first, and edit what is
    parked; show lists both."""


class SyncStopped(StockVerifyError):
    """Sending has stopped, because this device was closed or because of an error shown before."""
