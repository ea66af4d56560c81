"""What somebody should look at, and why: one module for each kind of anomaly, all of one shape of flags."""

from analytics.anomalies.evidence import evidence
from analytics.anomalies.find import Anomalies, UnknownKind, find, kinds_of
from analytics.anomalies.flags import FLAG
from analytics.anomalies.options import Options

__all__ = ["FLAG", "Anomalies", "Options", "UnknownKind", "evidence", "find", "kinds_of"]
