"""`python -m jobs.mail`: what `stockverify outbox` runs."""

from jobs.mail.commands import outbox

if __name__ == "__main__":
    outbox(prog_name="stockverify outbox")
