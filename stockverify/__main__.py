"""`python -m stockverify` is the command line."""

from stockverify.cli import run

if __name__ == "__main__":
    run()
