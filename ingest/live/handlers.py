"""/ws/updates"""

from litestar import WebSocket, websocket

from ingest.auth.rules import Caller
from ingest.devices.rules import claimed
from ingest.live.handshake import credentials
from ingest.outages import patiently
from ingest.wiring import AllStores, Stores


@websocket("/ws/updates", name="live.updates")
async def updates(socket: WebSocket, stores: Stores) -> None:
    """What happens to racks and sessions, as it happens."""
    await stores.live.serve(socket, socket.user, lambda: _caller(socket, stores))


async def _caller(socket: WebSocket, stores: AllStores) -> Caller:
    claims, device_id = stores.users.claims(credentials(socket)), claimed(socket.headers).device_id
    return await patiently(stores.mongo_breaker, lambda: stores.users.speaker(claims, device_id))
