"""A counting device in a process of its own, so that tests can freeze it: `python -m tests.faults.offline_device`.

It claims a rack, counts a line now and then, and says in its last line what became of everything.
"""

import asyncio
import json
import sys
from pathlib import Path

from stockverify.client.device import Device


async def count(url: str, username: str, password: str, file: Path, rack_id: str, lines: int) -> None:
    """Claim, count and send, whatever happens meanwhile."""
    async with Device.open(file, url, heartbeat_seconds=0.3) as device:
        await device.log_in(username, password)
        await device.claim(rack_id, "Ground")
        for number in range(lines):
            device.count(f"I-{number}", float(number))
            print(f"counted {number}", flush=True)
            await asyncio.sleep(0.05)
        end = await device.drain()
        told = {"acked": end.acked, "conflicts": end.conflicts, "parked": end.parked, "lost": device.lock_lost}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    url, username, password, file, rack_id, lines = sys.argv[1:]
    asyncio.run(count(url, username, password, Path(file), rack_id, int(lines)))
