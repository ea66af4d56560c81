"""The generated statements and pipelines of named queries, whole, as files in the folder `compiled`; a line is a stage.

After a change that is meant, renew the files with STOCKVERIFY_RENEW=1 in the environment, and read what git shows.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bson.json_util import dumps

from analytics.query import checked
from analytics.query.pipeline import OnlyInSnapshots, pipeline
from analytics.query.sql import compiled
from stockverify.wire.reports import QuerySpec
from tests.analytics.query.cases import CASES

FOLDER = Path(__file__).parent / "compiled"


def written(name: str) -> dict[str, str]:
    """What the files of a case have to hold."""
    query, stem = checked(CASES[name]), name.replace(" ", "_")
    parameters = {each: str(value) for each, value in compiled(query).parameters.items()}
    told = "".join(f"-- ${each} = {value}\n" for each, value in parameters.items())
    return {
        f"{stem}.sql": f"{compiled(query).text}\n{told}",
        f"{stem}.pipeline": "".join(f"{dumps(stage, ensure_ascii=False)}\n" for stage in pipeline(query)),
    }


@pytest.mark.parametrize("name", CASES)
def test_the_generated_text_is_the_committed_one(name: str) -> None:
    for file, text in written(name).items():
        if os.environ.get("STOCKVERIFY_RENEW"):
            (FOLDER / file).write_text(text)
        assert (FOLDER / file).read_text() == text


def test_no_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {file for name in CASES for file in written(name)}


def test_the_statement_binds_every_value() -> None:
    found = compiled(checked(CASES["filters"]))
    values = [
        *("c-1", "^0", "00", "100% $new", 1.0, 9.0, 0.0, 3.0, "R1", "SN1", "N", "S"),
        datetime(2026, 1, 31, tzinfo=UTC),
    ]
    assert list(found.parameters.values()) == values
    assert not any(f"'{value}'" in found.text for value in values)


def test_positions_exist_in_snapshots_only() -> None:
    with pytest.raises(OnlyInSnapshots, match="positions is derived when a snapshot is taken"):
        pipeline(checked(QuerySpec(collection="positions")))
