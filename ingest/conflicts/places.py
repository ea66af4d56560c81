"""Where a record counts that was kept aside: which session, rack and round."""

from typing import NamedTuple

from ingest.conflicts.proposals import Proposal
from ingest.sync.world import line_of
from stockverify.clients import Document


class Place(NamedTuple):
    """The session under which a record counts, and its rack, floor and round; without a rack it is on no line."""

    session_id: str
    rack_id: str | None
    floor: str | None
    round: int

    def document(self) -> Document:
        """As sync writes records from it."""
        return self._asdict()

    def same_line(self, record: Document, content: Document) -> bool:
        """Whether a stored record counts what `content` would count here."""
        return self.rack_id is not None and line_of(record) == line_of(content)


def place(proposal: Proposal, session: Document | None, rack: Document | None) -> Place:
    """The session's rack and round if the session is the author's and has a rack; else the rack that the record names,
    if there is one, in its current round; else none.

    A record from within another counter's session counts under its conflict's id: as a record of that session it
    would not be seen as a second count of a line that the session's own counter has counted, or counts later.
    """
    named = proposal.content.session_id
    own = session is not None and session["user_id"] == proposal.conflict["user_id"]
    if session is not None and own and (session["rack_id"] is not None or rack is None):
        return Place(named, session["rack_id"], session["floor"], session["round"])
    session_id = named if session is None or own else proposal.conflict["_id"]
    if rack is None:
        return Place(session_id, None, None, 1)
    return Place(session_id, rack["_id"], rack["floor"], rack["round"])
