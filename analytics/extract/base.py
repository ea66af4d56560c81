"""The earlier snapshot that a new one builds on, if there is one that it may build on."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bson.timestamp import Timestamp
from pymongo.database import Database

from analytics.extract import positions
from analytics.extract.changes import WholeNeeded, marked
from analytics.extract.moment import Moment
from analytics.lake.manifest import Manifest, Origin
from analytics.lake.parts import Kept
from analytics.lake.store import Lake
from stockverify.clients import Document
from stockverify.datasets import HELD, POSITIONS
from stockverify.errors import StockVerifyError


class Base(NamedTuple):
    """A published snapshot: its manifests and files by dataset, and where in MongoDB's history it stands."""

    snapshot_id: str
    manifests: Mapping[str, Manifest]
    files: Mapping[str, tuple[Path, ...]]
    cluster_time: Timestamp

    def parts(self, dataset: str) -> list[Kept]:
        """The files of a dataset with what its manifest says of each."""
        return [Kept(*pair) for pair in zip(self.files[dataset], self.manifests[dataset].files, strict=True)]

    def origin(self, dataset: str) -> Origin:
        """Where a dataset came from; `base_of` has made sure that it says so."""
        origin = self.manifests[dataset].origin
        if origin is None:
            raise WholeNeeded(f"the earlier snapshot {self.snapshot_id} does not say where its {dataset} came from")
        return origin


def base_of(lake: Lake, database: Database[Document], at: Moment, incarnations: Mapping[str, str]) -> Base:
    """The newest snapshot, every file of it checked. Raises WholeNeeded with the reason why it is of no use.

    Another MongoDB, one that was set back to a backup, and a collection that was made anew all have another history
    than the one that the snapshot belongs to.
    """
    if not (known := lake.ids()):
        raise WholeNeeded("there is no earlier snapshot")
    base = _read(lake, known[0])
    if base.cluster_time > at.cluster_time:
        raise WholeNeeded(f"the earlier snapshot {base.snapshot_id} is of a later time of another MongoDB")
    for dataset in HELD.values():
        before, now = base.origin(dataset.name).incarnation, incarnations.get(str(dataset.collection))
        if before and before != now:
            raise WholeNeeded(f"the collection {dataset.collection} is not the one of then")
    if not marked(database, base.snapshot_id):
        raise WholeNeeded(f"this MongoDB does not know the earlier snapshot {base.snapshot_id}")
    if base.manifests[POSITIONS.name].query != positions.QUERY:
        raise WholeNeeded("positions were derived in another way then")
    return base


def _read(lake: Lake, snapshot_id: str) -> Base:
    try:
        manifests = {name: lake.manifest(name, snapshot_id) for name in HELD}
        files = {name: tuple(lake.files(name, snapshot_id)) for name in HELD}
    except StockVerifyError as error:
        raise WholeNeeded(f"the earlier snapshot {snapshot_id} cannot be used: {error.message}") from None
    origins = [manifest.origin for manifest in manifests.values()]
    times = {Timestamp(*origin.cluster_time) for origin in origins if origin}
    if None in origins or len(times) != 1:
        raise WholeNeeded(f"the earlier snapshot {snapshot_id} does not say from when it is")
    return Base(snapshot_id, manifests, files, times.pop())
