"""What benchmarks measure: centiles of latencies, and the memory of processes as the kernel sees it."""

import re
import statistics
from pathlib import Path

_PAGE = 4096 / 1024**2


def resident_mib(pid: int) -> float:
    """Resident memory of a process, in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def peak_mib() -> float:
    """The most memory that this process has had resident, in MiB; `getrusage` counts what its parent had, too."""
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(peak) / 1024


def centile(values: list[float], percent: int) -> float:
    """The value that so many percent of the others do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


def slope_per_minute(samples: list[tuple[float, float]]) -> float:
    """The least-squares slope of (seconds, value) samples, per minute."""
    seconds, values = zip(*samples, strict=True)
    return statistics.linear_regression(seconds, values).slope * 60
