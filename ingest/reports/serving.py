"""The loop of the reports process: an errand comes in, its answer goes out."""

import socket
from io import BufferedIOBase

import msgspec
import structlog
from pymongo.errors import ConnectionFailure, PyMongoError

from ingest.reports.answers import AnyAnswer, Broken, DatabaseAway, Declined, Done, kind_of
from ingest.reports.errands import Question, framed, read_message
from ingest.reports.work import Work
from stockverify import logs
from stockverify.clients import open_mongo
from stockverify.environment import from_env
from stockverify.errors import StockVerifyError

_log = structlog.get_logger("ingest.reports")


def serve(number: int) -> None:
    """Serve the socket of that number until the other side has gone."""
    with socket.socket(fileno=number) as line, line.makefile("rwb") as stream:
        if (told := read_message(stream)) is None:
            return
        settings = from_env(msgspec.json.decode(told, type=dict[str, str]))
        logs.configure(settings.log_level)
        with open_mongo(settings.mongodb_uri or "") as mongo:
            _serve(stream, Work(settings, mongo))


def _serve(stream: BufferedIOBase, work: Work) -> None:
    while (asked := read_message(stream)) is not None:
        question = msgspec.json.decode(asked, type=Question)
        with structlog.contextvars.bound_contextvars(**question.context):
            answer = answered(work, question)
        stream.write(framed(msgspec.msgpack.encode(answer)))
        stream.flush()


def answered(work: Work, question: Question) -> AnyAnswer:
    """Do it. Whatever goes wrong becomes an answer; what nobody foresaw is logged here, where its traceback is."""
    try:
        return Done(msgspec.msgpack.encode(work.within(question.floors).do(question.errand)))
    except StockVerifyError as error:
        return Declined(kind_of(error), error.message)
    except PyMongoError as error:
        if isinstance(error, ConnectionFailure) or error.timeout:
            return DatabaseAway()
        return _broken(question, error)
    except Exception as error:
        return _broken(question, error)


def _broken(question: Question, error: Exception) -> Broken:
    errand = type(question.errand).__name__
    _log.error("errand_failed", errand=errand, exc_info=error)
    return Broken(f"{errand}: {type(error).__name__}")
