"""Pure: what a backup holds, and what it leaves out for which reason."""

from stockverify.vocabulary import Collection

LEFT_OUT: dict[Collection, str] = {
    Collection.MARKS: "they say that this MongoDB has lived through a snapshot, and a restored one has not",
    Collection.DEVICE_CODES: "a code that was used since would work once more",
    Collection.LOGIN_ATTEMPTS: "locks last for minutes",
    Collection.ID_TOKENS: "what they name is no longer accepted after minutes",
    Collection.REPORT_EXPORTS: "their files live for days, outside MongoDB, and can be made again",
}
"""Everything else is in it: whatever is not named here cannot be forgotten."""

KEPT: tuple[Collection, ...] = tuple(name for name in Collection if name not in LEFT_OUT)
