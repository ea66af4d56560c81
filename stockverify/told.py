"""Commands that tell what went wrong in one line, and leave with code 2."""

from typing import Any

import click
from pymongo.errors import PyMongoError

from stockverify import disk
from stockverify.errors import StockVerifyError, Unavailable


class TellingGroup(click.Group):
    """Tells errors of the house, a MongoDB that is away, and a place that is refused, in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (PyMongoError, StockVerifyError, OSError) as error:
            click.echo(f"stockverify: {_told(error).message}", err=True)
            raise click.exceptions.Exit(2) from None


def _told(error: Exception) -> StockVerifyError:
    """Raises what is nothing of these."""
    if isinstance(error, StockVerifyError):
        return error
    if not isinstance(error, OSError):
        return Unavailable(service="MongoDB")
    if refused := disk.told(error):
        return refused
    raise error
