"""An embedded one-node replica set: a real mongod on the loopback address, with authentication.

Two users are made at the first start: `keeper` may change the replica set, `stockverify` may read and write data.
Their passwords derive from the key file, which only the owner of the data directory can read.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from stockverify.clients import Document
from stockverify.kept_secret import kept_secret
from stockverify.services import binaries
from stockverify.services.child import Child, Spec, wait_ready

_REPLICA_SET = "stockverify"
_AUTHENTICATION_FAILED = 18
_ALREADY_INITIALIZED = 23
_USER_EXISTS = 51003


def spec(folder: Path, log: Path, port: int) -> Spec:
    """How to start it with its data in `folder`."""
    folder = folder.absolute()
    (folder / "db").mkdir(parents=True, exist_ok=True)
    _key(folder)
    options = {
        "--dbpath": folder / "db",
        "--port": port,
        "--bind_ip": "127.0.0.1",
        "--replSet": _REPLICA_SET,
        "--keyFile": folder / "keyfile",
        "--oplogSize": 990,
        "--wiredTigerCacheSizeGB": 1,
    }
    parameters = (
        "diagnosticDataCollectionEnabled=false",
        "minSnapshotHistoryWindowInSeconds=1800",
        # A service that was killed in the middle of a transaction leaves its rack locked for as long as this;
        # by itself MongoDB would take a minute, and no request works for longer than two seconds.
        "transactionLifetimeLimitSeconds=3",
        # Stopped before it is primary, it would wait 15 seconds for other nodes to notice.
        "shutdownTimeoutMillisForSignaledShutdown=0",
    )
    argv = [str(binaries.mongod()), "--nounixsocket", "--quiet"]
    argv += [str(part) for option in options.items() for part in option]
    argv += [part for parameter in parameters for part in ("--setParameter", parameter)]
    return Spec("mongod", tuple(argv), log, binaries.environment(), stop_seconds=30)


def uri(folder: Path, port: int) -> str:
    """The address that clients use."""
    return _uri(folder, port, "stockverify", f"replicaSet={_REPLICA_SET}")


def start(folder: Path, log: Path, port: int) -> Child:
    """Start it and return once it accepts writes."""
    child = Child(spec(folder, log, port))
    try:
        wait_ready(child, lambda: _initiated(folder, port), seconds=120)
        with _client(uri(folder, port)) as client:
            wait_ready(child, lambda: _writable(client))
    except BaseException:
        child.kill()
        raise
    return child


def _initiated(folder: Path, port: int) -> bool:
    """Make the replica set and its users at the first start; follow a changed port at later ones."""
    try:
        with _client(_uri(folder, port, "keeper")) as client:
            _follow_port(client, client.admin.command("replSetGetConfig")["config"], port)
            return _writable(client) and _has_user(client, folder)
    except OperationFailure as error:
        # Whoever may log in is known from an earlier start: then MongoDB has only not read its configuration yet, for
        # half a minute when another program has taken its old port and does not answer there.
        if error.code == _AUTHENTICATION_FAILED:
            with suppress(AutoReconnect):  # it ends: its log says why
                _first_start(folder, port)
        return False
    except PyMongoError:
        return False


def _follow_port(client: MongoClient[Document], config: Document, port: int) -> None:
    member = config["members"][0]
    if member["host"] != f"127.0.0.1:{port}":
        member["host"] = f"127.0.0.1:{port}"
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)


def _first_start(folder: Path, port: int) -> None:
    """Uses the exception that lets a local client set up a server that has no users yet."""
    with _client(f"mongodb://127.0.0.1:{port}/?directConnection=true") as client:
        config = {
            "_id": _REPLICA_SET,
            "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}],
            "settings": {"electionTimeoutMillis": 1000},
        }
        try:
            client.admin.command("replSetInitiate", config)
        except OperationFailure as error:
            if error.code != _ALREADY_INITIALIZED:
                raise
        if _writable(client):
            roles = ["clusterAdmin", "userAdminAnyDatabase"]
            client.admin.command("createUser", "keeper", pwd=_password(folder, "keeper"), roles=roles)


def _has_user(keeper: MongoClient[Document], folder: Path) -> bool:
    """Make the user that everybody works with, unless an earlier start did."""
    roles = ["readWriteAnyDatabase", "clusterMonitor"]
    try:
        keeper.admin.command("createUser", "stockverify", pwd=_password(folder, "stockverify"), roles=roles)
    except OperationFailure as error:
        return error.code == _USER_EXISTS
    return True


def _client(address: str) -> MongoClient[Document]:
    return MongoClient(address, serverSelectionTimeoutMS=300)


def _writable(client: MongoClient[Document]) -> bool:
    try:
        return bool(client.admin.command("hello")["isWritablePrimary"])
    except PyMongoError:
        return False


def _uri(folder: Path, port: int, user: str, options: str = "directConnection=true") -> str:
    return f"mongodb://{user}:{_password(folder, user)}@127.0.0.1:{port}/?authSource=admin&{options}"


def _password(folder: Path, user: str) -> str:
    return hashlib.sha256(f"{_key(folder)}/{user}".encode()).hexdigest()


def _key(folder: Path) -> str:
    return kept_secret(folder / "keyfile", size=64)
