"""A counter's device on a terminal: lines in, lines out. Counting needs no network."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable

from stockverify.client import commands
from stockverify.client.commands import HELP, BadCommand, Command
from stockverify.client.device import Device
from stockverify.client.problems import Offline
from stockverify.client.records import Entry
from stockverify.errors import StockVerifyError

SHOWN = 20
"""As many counts fit on a screen; a correction further back is rare."""

KEPT = 1000
"""Acknowledged counts that stay on the device, to look at and to correct."""

Say = Callable[[str], None]
_CHUNK = 65536


class Prompt:
    """Does what the lines say. `secret` asks for a password, or a PIN when `by_pin` is set."""

    def __init__(
        self, device: Device, username: str, secret: Callable[[], str], say: Say, *, by_pin: bool = False
    ) -> None:
        self._device, self._username, self._secret, self._say, self._by_pin = device, username, secret, say, by_pin

    async def begin(self) -> None:
        """Log in when needed, and take up the rack of the last time. Raises when the login is refused."""
        self._device.queue.prune_acked(KEPT)
        if self._device.username != self._username or not self._device.logged_in:
            try:
                await self._login()
            except Offline as error:
                self._say(f"{error.message} Type login when the network is back.")
                return
        if self._device.held:
            self._say((await self._device.recover()).message)

    async def obey(self, lines: AsyncIterator[str]) -> None:
        """Until quit or the end of the lines. An error is said, and the next line is read."""
        async for line in lines:
            try:
                command = commands.read(line)
                if command and command.verb in ("quit", "exit"):
                    return
                if command:
                    self._say(await self._do(command))
            except StockVerifyError as error:
                self._say(error.message)

    async def _do(self, command: Command) -> str:
        match command.verb:
            case "count":
                return self._count(command)
            case "edit":
                return self._edit(command)
            case "show":
                return self._show()
            case "help":
                return HELP
        return await self._with_network(command)

    async def _with_network(self, command: Command) -> str:
        calls: dict[str, Callable[[], Awaitable[str]]] = {
            "racks": lambda: self._racks(*command.words[:1]),
            "claim": lambda: self._claim(*command.words),
            "sync": self._sync,
            "retry": self._retry,
            "pause": self._device.pause,
            "resume": self._device.resume,
            "complete": lambda: self._device.complete(patient=False),
            "release": lambda: self._device.release(patient=False),
            "login": self._login,
        }
        return await calls[command.verb]()

    async def _login(self) -> str:
        await self._device.log_in(self._username, self._secret(), by_pin=self._by_pin)
        return f"Logged in as {self._username}."

    async def _claim(self, rack_id: str, floor: str = "") -> str:
        grant = await self._device.claim(rack_id, floor)
        return f"{grant.message} You count rack {grant.rack_id}, floor {grant.floor or '-'}."

    async def _racks(self, floor: str | None = None) -> str:
        racks = await self._device.racks(floor)
        rows = [
            f"  {rack.rack_id}  floor {rack.floor or '-'}  {rack.status}  {rack.item_count} items" for rack in racks
        ]
        return "\n".join(rows) or "There is no rack to claim."

    def _count(self, command: Command) -> str:
        entry = self._device.count(**command.fields)
        warning = " Unconfirmed: somebody else has the rack." if entry.unconfirmed else ""
        return f"Kept: {_line(entry)}.{warning}"

    def _edit(self, command: Command) -> str:
        entries = self._device.queue.entries()
        place = command.words[0]
        if not place.isdecimal() or not 1 <= int(place) <= len(entries):
            raise BadCommand(reason=f"There is no count number {place[:20]}")
        return f"Kept: {_line(self._device.edit(entries[int(place) - 1].client_record_id, **command.fields))}."

    def _show(self) -> str:
        entries = self._device.queue.entries()
        first = max(len(entries) - SHOWN, 0)
        rows = [f"  {place + 1:4}  {_line(entries[place])}" for place in range(first, len(entries))]
        return "\n".join([*rows, self._progress()])

    async def _retry(self) -> str:
        self._device.retry_parked()
        return await self._sync()

    async def _sync(self) -> str:
        await self._device.drain(patient=False)
        return self._progress()

    def _progress(self) -> str:
        now = self._device.progress
        figures = f"{now.acked} sent, {now.waiting} waiting, {now.conflicts} conflicts, {now.parked} parked."
        return f"{figures} {now.last_error}" if now.last_error and (now.waiting or now.parked) else figures


def _line(entry: Entry) -> str:
    record = entry.record
    quantity = "not counted" if record.verified_qty is None else f"{record.verified_qty:g}"
    parts = [record.item_code, quantity]
    parts += [f"damage {record.damage_qty:g}"] if record.damage_qty else []
    parts += [f"bin {record.bin}"] if record.bin else []
    parts += [f"serial {serial}" for serial in record.serial_numbers or ()]
    return "  ".join([*parts, f"({entry.state})", entry.last_error or ""]).rstrip()


async def lines_of(descriptor: int, invite: Callable[[], None]) -> AsyncIterator[str]:
    """The lines of a terminal, a pipe or a file, while everything else goes on; `invite` shows that one is awaited."""
    pending = b""
    while True:
        invite()
        while b"\n" not in pending:
            chunk = await _read(descriptor)
            if not chunk:
                return
            pending += chunk
        line, _, pending = pending.partition(b"\n")
        yield line.decode(errors="replace")


async def _read(descriptor: int) -> bytes:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except PermissionError:  # a regular file is always ready, and cannot be waited for
        return os.read(descriptor, _CHUNK)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, _CHUNK)
