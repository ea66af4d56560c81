"""Commands that tell what went wrong in one line, and leave with code 2."""

from typing import Any

import click
from pymongo.errors import PyMongoError

from stockverify.errors import StockVerifyError, Unavailable


class TellingGroup(click.Group):
    """Tells errors of the house, and a MongoDB that is away, in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (PyMongoError, StockVerifyError) as error:
            told = error if isinstance(error, StockVerifyError) else Unavailable(service="MongoDB")
            click.echo(f"stockverify: {told.message}", err=True)
            raise click.exceptions.Exit(2) from None
