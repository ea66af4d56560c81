"""What racks, leases and counted records ought to be like: a model without a database, a network or the product."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

OCCUPIED = ("claimed", "active", "paused")


class Who(NamedTuple):
    """A person with a device."""

    person: str
    device: str


@dataclass
class Rack:
    """`current` is the session that the rack belongs to, `lease` the one that Redis names."""

    status: str = "available"
    fence: int = 0
    round: int = 1
    current: str | None = None
    lease: str | None = None

    @property
    def occupied(self) -> bool:
        return self.status in OCCUPIED


class Session(NamedTuple):
    """A grant."""

    name: str
    rack: str
    fence: int
    round: int
    who: Who


class Version(NamedTuple):
    """One version of a counted record."""

    name: str
    revision: int
    content: tuple[Any, ...]
    serials: tuple[str, ...]
    session: str
    who: Who

    @property
    def counted(self) -> tuple[Any, ...]:
        """All but its place among the revisions."""
        return self.session, self.content, self.serials


@dataclass
class Model:
    """The state that the service must have after everything that it answered."""

    racks: dict[str, Rack]
    sessions: dict[str, Session] = field(default_factory=dict)
    records: dict[str, Version] = field(default_factory=dict)
    versions: set[Version] = field(default_factory=set)
    old_news: set[Version] = field(default_factory=set)
    conflicts: dict[Version, str] = field(default_factory=dict)
    resolutions: dict[Version, str] = field(default_factory=dict)
    serials: dict[str, str] = field(default_factory=dict)
    history: set[Version] = field(default_factory=set)
    # Records that a settlement has changed, by their names, as they were sent before.
    settled: dict[str, Version] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------- racks

    def claim(self, who: Who, name: str, take_over: bool) -> str | None:
        """The session that goes on, `new` for a new grant, or None for a refusal."""
        rack = self.racks[name]
        current = self.sessions.get(rack.current or "")
        if rack.status == "completed":
            return None
        if rack.occupied and current and current.who.person == who.person:
            if current.who == who:
                return current.name
            return "new" if rack.lease is None or take_over else None
        return "new" if rack.lease is None else None

    def go_on(self, name: str) -> None:
        """The holder claimed again."""
        rack = self.racks[name]
        rack.lease = rack.current
        rack.status = "active" if rack.status == "paused" else rack.status

    def grant(self, session: Session) -> None:
        """A new grant took effect."""
        rack = self.racks[session.rack]
        rack.status, rack.fence, rack.current, rack.lease = "claimed", session.fence, session.name, session.name
        self.sessions[session.name] = session

    def holds(self, who: Who, name: str) -> bool:
        """Whether the rack is this person's, on whatever device."""
        rack = self.racks[name]
        current = self.sessions.get(rack.current or "")
        return rack.occupied and current is not None and current.who.person == who.person

    def free(self, name: str, status: str, fence: int = 0) -> None:
        """Nobody holds the rack any more; its fence may have risen with that."""
        rack = self.racks[name]
        rack.status, rack.current, rack.lease = status, None, None
        rack.fence += fence

    def beat(self, session: Session) -> bool:
        """Whether a heartbeat keeps the rack, or takes it back."""
        rack = self.racks[session.rack]
        if rack.current != session.name or not rack.occupied:
            return False
        rack.lease = session.name
        return True

    # ------------------------------------------------------------------------------------------- records

    def judge(self, version: Version) -> set[str]:
        """Reasons for which this version must be kept aside; none when it must be ok. Then `take` it."""
        if version in self.versions:
            return set()
        if version in self.conflicts:
            return {self.conflicts[version]}
        stored, session = self.records.get(version.name), self.sessions[version.session]
        if reasons := self._refused(version, stored, session):
            return reasons
        if stored is not None and (sent := self.settled.get(stored.name)):
            if sent.counted != version.counted:
                return {"stale_revision"}
            self.old_news.add(version)
            return set()
        if stored is not None and version.revision <= stored.revision:
            return {"stale_revision"} if version.revision == stored.revision else set()
        reasons = self._in_the_way(version, stored, session)
        if reasons and stored is not None and stored.counted == version.counted:
            self.old_news.add(version)
            return set()
        return reasons

    def _refused(self, version: Version, stored: Version | None, session: Session) -> set[str]:
        verified, damage = version.content[1:3]
        reasons = set()
        if session.who.person != version.who.person:
            reasons.add("invalid_data")
        if stored is not None and stored.who != version.who:
            reasons.add("stale_revision")
        if damage > (verified or 0):
            reasons.add("invalid_quantity")
        return reasons

    def _in_the_way(self, version: Version, stored: Version | None, session: Session) -> set[str]:
        reasons = set()
        sessions = [session] + ([self.sessions[stored.session]] if stored else [])
        if any(self.racks[each.rack].fence != each.fence for each in sessions):
            reasons.add("rack_locked")
        if len(set(version.serials)) < len(version.serials) or any(
            self._taken(serial, version.name, session) for serial in version.serials
        ):
            reasons.add("duplicate_serial")
        return reasons

    def _taken(self, serial: str, name: str, session: Session) -> bool:
        owner = self.serials.get(serial)
        if owner is None or owner == name:
            return False
        holder = self.sessions[self.records[owner].session]
        return not (holder.rack == session.rack and holder.round < session.round)

    def take(self, version: Version) -> None:
        """This version was answered ok."""
        if version in self.versions:
            return
        if version in self.old_news:  # the same count again, from behind a fence: ok, and nothing to store
            self.old_news.discard(version)
            return
        self.versions.add(version)
        stored = self.records.get(version.name)
        if stored is not None and version.revision < stored.revision:
            self.history.add(version)
            return
        self.history |= {stored} if stored is not None else set()
        for serial in stored.serials if stored else ():
            if self.serials.get(serial) == version.name:
                del self.serials[serial]
        self.records[version.name] = version
        self.serials |= dict.fromkeys(version.serials, version.name)
        for each in (version, stored):
            if each is not None and (rack := self.racks[self.sessions[each.session].rack]).status == "claimed":
                rack.status = "active"

    # ------------------------------------------------------------------------------------------- settlements

    def of_own_sessions(self) -> list[Version]:
        """What was kept aside of people's own sessions; test_conflicts_settled knows where the others would count."""
        return [each for each in self.conflicts if self.sessions[each.session].who.person == each.who.person]

    def resolution(self, version: Version) -> str | None:
        """How its conflict was settled. The same from two devices of one person is one conflict."""
        return self.resolutions.get(version._replace(who=Who(version.who.person, "any")))

    def resolve(self, version: Version, resolution: str) -> str:
        """Its conflict is settled like this, for good."""
        self.resolutions[version._replace(who=Who(version.who.person, "any"))] = resolution
        return resolution

    def acceptable(self, version: Version) -> int:
        """The status with which accepting a version that was kept aside is answered: 400 for what breaks a rule, 409
        when it would take a serial number away without being about that."""
        verified, damage = version.content[1:3]
        if damage > (verified or 0) or len(set(version.serials)) < len(version.serials):
            return 400
        return 409 if self.conflicts[version] != "duplicate_serial" and self._losers(version) else 200

    def accept(self, version: Version) -> None:
        """It is current now, and no device overwrites it; who had its serial numbers has given them up."""
        before = self.records.get(version.name)
        losers = self._losers(version)
        current = version if before is None else version._replace(revision=before.revision, who=before.who)
        if before is None:
            self.versions.add(version)  # as if it had been ok: its replay is
        touched = set(current.serials) | (set(current.serials) ^ set(before.serials if before else ()))
        self._settle(current, before or version)
        for loser in losers:
            kept = tuple(serial for serial in loser.serials if serial not in current.serials)
            self._settle(loser._replace(serials=kept), loser)
        for serial in touched:
            listers = [each for each in self.records.values() if serial in each.serials]
            self.serials.pop(serial, None)
            if listers:
                self.serials[serial] = max(listers, key=lambda each: self.sessions[each.session].round).name

    def _settle(self, current: Version, before: Version) -> None:
        self.settled.setdefault(current.name, before)
        self.history |= {self.records[current.name]} if current.name in self.records else set()
        self.records[current.name] = current

    def _losers(self, version: Version) -> list[Version]:
        """Records that list one of its serial numbers; the same rack in another round is no contradiction."""
        here = self.sessions[version.session]
        others = [each for each in self.records.values() if each.name != version.name]
        sharing = [each for each in others if set(each.serials) & set(version.serials)]
        places = [(each, self.sessions[each.session]) for each in sharing]
        return [each for each, there in places if there.rack != here.rack or there.round == here.round]
