"""Takes one snapshot in a process, whose memory is its own. Arguments: URI, database, lake, `whole` or another word."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from bson.codec_options import CodecOptions

from analytics.extract import Terms, materialise
from analytics.lake import Lake
from stockverify.clients import open_mongo
from stockverify.datasets import POSITIONS
from tests.bench.measured import peak_mib


def main() -> None:
    """Print what it took as JSON: seconds, peak MiB, base and positions."""
    uri, name, root, whole = sys.argv[1:]
    with open_mongo(uri, "tests") as client:
        database = client.get_database(name, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC))
        lake, started = Lake(Path(root)), time.perf_counter()
        taken = materialise(lake, database, datetime.now(UTC), terms=Terms(whole=whole == "whole"))
        seconds = time.perf_counter() - started
    origin = lake.manifest(POSITIONS.name, taken.snapshot_id).origin
    found = {"seconds": seconds, "peak": peak_mib(), "base": origin and origin.base, "rows": taken.rows}
    sys.stdout.write(msgspec.json.encode(found).decode())


if __name__ == "__main__":
    main()
