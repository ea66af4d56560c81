"""What all shapes are made of."""

from typing import Annotated

from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(max_length=256)]
Text = Annotated[str, Meta(max_length=4096)]


class Request(Struct, frozen=True, kw_only=True):
    """A body that a client sends."""


class Reply(Struct, frozen=True, kw_only=True):
    """A body that the service sends."""


class Success(Reply, frozen=True, kw_only=True):
    """Done."""

    success: bool = True
