"""/api/racks"""

from datetime import UTC, datetime

from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK

from ingest.requests import restore_slashes
from ingest.wiring import CurrentCaller, Stores
from stockverify.wire.racks import (
    AvailableRack,
    Claim,
    FloorRack,
    Grant,
    RackChanged,
    RackStateChanged,
    RackStatus,
    Reason,
    Reverify,
)


class RackController(Controller):
    """Claiming, pausing and giving back racks."""

    path = "/api/racks"
    tags = ("racks",)
    before_request = restore_slashes  # type: ignore[assignment]  # Litestar calls it unbound

    @get("/", name="racks.list")
    async def listed(
        self, caller: CurrentCaller, stores: Stores, floor: FromQuery[str | None] = None
    ) -> list[FloorRack]:
        """All racks, whoever holds them; for those who read reports."""
        return await stores.racks.listed(floor, caller)

    @get("/available", name="racks.available")
    async def available(
        self, caller: CurrentCaller, stores: Stores, floor: FromQuery[str | None] = None
    ) -> list[AvailableRack]:
        """Racks that may be claimed."""
        return await stores.racks.available(floor, caller)

    @get("/floors", name="racks.floors")
    async def floors(self, caller: CurrentCaller, stores: Stores) -> list[str]:
        """Names of all floors."""
        return await stores.racks.floors(caller)

    @get("/user/active", name="racks.mine")
    async def mine(self, caller: CurrentCaller, stores: Stores) -> list[RackStatus]:
        """Racks that the caller holds or has paused."""
        return await stores.racks.mine(caller, datetime.now(UTC))

    @get("/{rack_id:str}/status", name="racks.status")
    async def status(self, rack_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> RackStatus:
        """One rack as it stands now."""
        return await stores.racks.status(rack_id, caller, datetime.now(UTC))

    @post("/{rack_id:str}/claim", name="racks.claim", status_code=HTTP_200_OK)
    async def claim(
        self, rack_id: FromPath[str], data: JSONBody[Claim], caller: CurrentCaller, stores: Stores
    ) -> Grant:
        """Claim a rack; the same person and device again get the same grant."""
        return await stores.racks.claim(rack_id, data, caller, datetime.now(UTC))

    @post("/{rack_id:str}/release", name="racks.release", status_code=HTTP_200_OK)
    async def release(self, rack_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> RackChanged:
        """Give a rack back."""
        return await stores.racks.release(rack_id, caller, datetime.now(UTC))

    @post("/{rack_id:str}/pause", name="racks.pause", status_code=HTTP_200_OK)
    async def pause(self, rack_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> RackStateChanged:
        """Keep a rack reserved during a break."""
        return await stores.racks.pause(rack_id, caller, datetime.now(UTC))

    @post("/{rack_id:str}/resume", name="racks.resume", status_code=HTTP_200_OK)
    async def resume(self, rack_id: FromPath[str], caller: CurrentCaller, stores: Stores) -> RackStateChanged:
        """Go on with a paused rack."""
        return await stores.racks.resume(rack_id, caller, datetime.now(UTC))

    @post("/{rack_id:str}/force-release", name="racks.force_release", status_code=HTTP_200_OK)
    async def force_release(
        self, rack_id: FromPath[str], data: JSONBody[Reason], caller: CurrentCaller, stores: Stores
    ) -> RackStateChanged:
        """Take a rack from whoever holds it; for supervisors, with a reason."""
        return await stores.racks.force_release(rack_id, data.reason, caller, datetime.now(UTC))

    @post("/{rack_id:str}/reverify", name="racks.reverify", status_code=HTTP_200_OK)
    async def reverify(
        self, rack_id: FromPath[str], caller: CurrentCaller, stores: Stores, data: JSONBody[Reverify | None] = None
    ) -> RackStateChanged:
        """Open a completed rack for another counting round; for supervisors. A reason is kept in the audit log."""
        why = {"reason": data.reason} if data and data.reason else {}
        return await stores.racks.reverify(rack_id, caller, datetime.now(UTC), **why)
