"""How a mail looks: HTML for people, and the same as plain text. Everything from data is escaped by the template."""

from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from analytics.glance.attention import Notice
from analytics.glance.tiles import Tile
from jobs.reports.content import Excerpt
from jobs.reports.pictures import GROUND
from jobs.reports.wording import clean

_HERE = FileSystemLoader(Path(__file__).parent)
_HTML = Environment(loader=_HERE, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
# Plain text has no markup, and its template takes the line breaks out of data.
_TEXT = Environment(loader=_HERE, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701


class Listed(NamedTuple):
    """A file of the report; one that is attached has no address."""

    name: str
    address: str
    size: str


class Picture(NamedTuple):
    """A chart that goes with the mail, and what it shows."""

    name: str
    title: str


class Words(NamedTuple):
    """All that is said. `said` are sentences that come first; `whole` says where the rest of the rows is; `attention`
    is None when the report does not look for what needs attention, and empty when nothing does."""

    subject: str
    name: str
    labels: str
    about: str
    as_of: str
    said: tuple[str, ...]
    is_alarm: bool
    tiles: tuple[Tile, ...]
    since: str
    pictures: tuple[Picture, ...]
    excerpt: Excerpt
    whole: str
    files: str
    listed: tuple[Listed, ...]
    attention: tuple[Notice, ...] | None
    page: str
    why: str
    facts: tuple[tuple[str, str], ...]
    unsubscribe: str

    @property
    def preheader(self) -> str:
        """What mail programs show beside the subject."""
        figures = ", ".join(f"{tile.label} {tile.value}" for tile in self.tiles[:3])
        return " ".join([*self.said[:1], figures])


def html(words: Words) -> str:
    """The mail as a page."""
    return _HTML.get_template("mail.html.j2").render(words=words, delta=delta, ground=GROUND, clean=clean)


def plain(words: Words) -> str:
    """The mail as text."""
    text = _TEXT.get_template("mail.txt.j2").render(words=words, delta=delta, clean=clean)
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"


def delta(tile: Tile) -> tuple[str, str]:
    """How a figure moved, in words, and whether that is good, bad or neither."""
    if tile.delta is None:
        return "", "plain"
    if not tile.delta:
        return "no change", "plain"
    text = str(tile.delta)
    up = text.startswith("+")
    colour = "plain" if tile.good == "off" else "good" if up == (tile.good == "normal") else "bad"
    return f"{'▲' if up else '▼'} {text.lstrip('+-')}", colour
