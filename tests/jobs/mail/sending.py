"""`python -m tests.jobs.mail.sending NAME LEASE`: a sender in a process of its own, for tests that kill it."""

import os
import sys
import threading
import time
from datetime import datetime

from jobs.mail.sender import Sender
from stockverify.clients import database, open_mongo
from stockverify.environment import from_env

if __name__ == "__main__":
    settings = from_env(os.environ)
    with open_mongo(settings.mongodb_uri or "") as client:
        sender = Sender(database(client, settings), settings, sys.argv[1], threading.Event(), lease=float(sys.argv[2]))
        print("ready", flush=True)
        while True:
            sender.tick(datetime.fromisoformat(sys.argv[3]))
            time.sleep(0.05)
