"""The commands of `python -m analytics`; each is imported when it is used, for some need large libraries."""
