"""The faults that devices meet in a warehouse, put between a device and the service on purpose, and counted."""

import random
from dataclasses import dataclass

import httpx

BATCH_PATH = "/api/sync/batch"


@dataclass
class FaultCount:
    """What was done to a device."""

    dropped_replies: int = 0
    refused_while_offline: int = 0
    replayed_batches: int = 0


class FaultyTransport(httpx.AsyncBaseTransport):
    """Wraps a real transport. Only batches lose replies and travel twice; `offline` cuts off everything.

    A dropped reply is dropped after the service has done its work, which is the fault that counts things twice
    elsewhere. `owns_inner` False leaves a shared transport open at the end.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        rng: random.Random,
        drop_reply: float = 0.1,
        replay: float = 0.0,
        owns_inner: bool = True,
    ) -> None:
        self._inner, self._rng, self._owns_inner = inner, rng, owns_inner
        self._drop_reply, self._replay = drop_reply, replay
        self.offline = False
        self.count = FaultCount()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The reply of the inner transport, or a fault."""
        if self.offline:
            self.count.refused_while_offline += 1
            raise httpx.ConnectError("no network in this corner of the warehouse", request=request)
        if request.url.path != BATCH_PATH:
            return await self._inner.handle_async_request(request)
        await request.aread()
        if self._rng.random() < self._replay:
            self.count.replayed_batches += 1
            await _finish(await self._inner.handle_async_request(request))
        reply = await self._inner.handle_async_request(request)
        if self._rng.random() < self._drop_reply or self.offline:
            self.count.dropped_replies += 1
            await _finish(reply)
            raise httpx.ReadError("the reply was lost on its way", request=request)
        return reply

    async def aclose(self) -> None:
        """Close the inner transport, unless others use it too."""
        if self._owns_inner:
            await self._inner.aclose()


async def _finish(reply: httpx.Response) -> None:
    """Take the reply from the wire and throw it away; the connection stays usable."""
    await reply.aread()
    await reply.aclose()
