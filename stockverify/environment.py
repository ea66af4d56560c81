"""Settings as environment variables: read from them, and handed on to child processes."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

import msgspec

from stockverify.errors import BadSetting
from stockverify.settings import Env, Settings


class Setting(NamedTuple):
    """One row of the table: the field, its variable, type, default and meaning."""

    field: str
    env: Env
    type: Any
    default: Any


@cache
def table() -> tuple[Setting, ...]:
    """All settings, in the order in which they are documented."""
    return tuple(_rows())


def _rows() -> Iterator[Setting]:
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    for name, hint in get_type_hints(Settings, include_extras=True).items():
        kind, *extras = get_args(hint)
        env = next(extra for extra in extras if isinstance(extra, Env))
        bounds = [extra for extra in extras if isinstance(extra, msgspec.Meta)]
        yield Setting(name, env, Annotated[kind, *bounds] if bounds else kind, defaults[name])


def from_env(environ: Mapping[str, str], **overrides: Any) -> Settings:
    """Settings from an environment (empty values count as unset); `overrides` that are not None win."""
    values: dict[str, Any] = {}
    for row in table():
        if text := environ.get(row.env.name):
            values[row.field] = _parse(row, text)
    return Settings(**(values | {key: value for key, value in overrides.items() if value is not None}))


def _parse(row: Setting, text: str) -> Any:
    try:
        if row.env.check:
            row.env.check(text)
        return msgspec.convert(text, row.type, strict=False, dec_hook=lambda kind, given: kind(given))
    except (msgspec.ValidationError, ValueError) as error:
        shown = "***" if row.env.secret else text
        raise BadSetting(name=row.env.name, value=shown, reason=_in_words(str(error)), doc=row.env.doc) from None


_WORDS = {"`float`": "a number", "`int`": "a whole number", "`bool`": "true or false", ", got `str`": ""}


def _in_words(reason: str) -> str:
    """What msgspec says of a wrong value, for people who do not know Python."""
    return re.sub("|".join(_WORDS), lambda found: _WORDS[found[0]], reason)


def to_env(settings: Settings) -> dict[str, str]:
    """The environment that gives the same settings to a child process, whatever else it inherits: what is left at its
    default is empty, which counts as unset."""

    def text(row: Setting) -> str:
        value = getattr(settings, row.field)
        return "" if value is None or value == row.default else str(value)

    return {row.env.name: text(row) for row in table()}
