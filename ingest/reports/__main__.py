"""The reports process: does errands for the service process that started it, one after the other, until that has gone.

Arguments are the number of the socket between the two, and how far to stand back for other processes (as with nice).
The settings come through the socket, so that no secret shows in a list of processes.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def stay_behind(niceness: int) -> None:
    """Yield to everything else, and die with the service, also in the middle of an errand: nobody waits for it then.
    Where this is too late, or another system, the socket has ended, which ends the process a little later."""
    os.nice(niceness)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    stay_behind(int(sys.argv[2]))
    from ingest.reports.serving import serve

    serve(int(sys.argv[1]))
