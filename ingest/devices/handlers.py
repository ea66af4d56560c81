"""/api/devices"""

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, Request, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from ingest.bodies import MAX_STRANGE
from ingest.devices.rules import MAX_NAME
from ingest.limits.rules import address
from ingest.requests import restore_slashes
from ingest.wiring import CurrentCaller, Stores
from stockverify.wire.devices import Device, DeviceCode, EnrollDevice, Enrolled, InviteDevice
from stockverify.wire.racks import Reason

After = Annotated[str, QueryParameter(max_length=MAX_NAME)]
Limit = Annotated[int, QueryParameter(ge=1, le=1000)]


class DeviceController(Controller):
    """Enrolling and revoking devices."""

    path = "/api/devices"
    request_max_body_size = MAX_STRANGE
    tags = ("devices",)
    before_request = restore_slashes  # type: ignore[assignment]  # Litestar calls it unbound

    @post("/codes", name="devices.invite", status_code=HTTP_200_OK)
    async def invite(self, data: JSONBody[InviteDevice], caller: CurrentCaller, stores: Stores) -> DeviceCode:
        """A one-time code that enrols a device within 15 minutes; shown once."""
        return await stores.devices.invite(data, caller, datetime.now(UTC))

    @post("/enroll", name="devices.enroll", status_code=HTTP_201_CREATED)
    async def enroll(self, data: JSONBody[EnrollDevice], request: Request, stores: Stores) -> Enrolled:
        """Exchange a code, once, for the device's own token; shown once."""
        return await stores.devices.enroll(data, address(request.client), datetime.now(UTC))

    @get("/", name="devices.list")
    async def devices(self, stores: Stores, after: After = "", limit: Limit = 1000) -> list[Device]:
        """All devices that were enrolled or logged in on, by id; go on with `after` = the last id of the page."""
        return await stores.devices.devices(after, limit)

    @post("/{device_id:str}/revoke", name="devices.revoke", status_code=HTTP_200_OK)
    async def revoke(
        self, device_id: FromPath[str], data: JSONBody[Reason], caller: CurrentCaller, stores: Stores
    ) -> Device:
        """Shut a device out and end all its logins at once; any id that sends X-Device-ID can be revoked."""
        return await stores.devices.revoke(device_id[:MAX_NAME], data.reason, caller, datetime.now(UTC))
