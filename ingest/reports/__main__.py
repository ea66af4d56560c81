"""The reports process: does errands for the service process that started it, one after the other, until that has gone.

Arguments are the number of the socket between the two, how far to stand back for other processes (as with nice), and
how many bytes of memory it may have of its own (0 for any number).
The settings come through the socket, so that no secret shows in a list of processes.
"""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1


def stay_behind(niceness: int) -> None:
    """Yield to everything else, and die with the service, also in the middle of an errand: nobody waits for it then.
    Where this is too late, or another system, the socket has ended, which ends the process a little later."""
    os.nice(niceness)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def stay_small(memory: int) -> None:
    """Have no more memory than that. Only what is written to counts: libraries set aside address space by gigabytes."""
    if memory:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


if __name__ == "__main__":
    stay_behind(int(sys.argv[2]))
    stay_small(int(sys.argv[3]))
    from ingest.reports.serving import serve

    serve(int(sys.argv[1]))
