"""Where each detector draws its line. docs/anomalies.md has the same names, defaults and meanings; a test compares."""

from typing import Annotated, get_args, get_type_hints

from msgspec import Meta, Struct
from msgspec.structs import fields

Count = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Amount = Annotated[float, Meta(gt=0)]


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The thresholds of all detectors."""

    shown: Annotated[Count, "flags of one kind that are shown, the most severe first; all are counted"] = 1000
    proof_rows: Annotated[Count, "rows shown as the proof of one flag; all are counted"] = 20

    outlier_score: Annotated[Amount, "robust z-score beyond which a variance is an outlier"] = 5.0
    outlier_units: Annotated[Amount, "smallest deviation in units that is one, however alike the others are"] = 3.0
    group_lines: Annotated[Count, "counted lines that a category needs before its lines are judged"] = 30
    varied_lines: Annotated[Count, "deviating lines from which their own median says what is usual"] = 5

    significance: Annotated[Share, "chance, over all counters together, of flagging one who did nothing odd"] = 0.001
    heaping_quantity: Annotated[Amount, "smallest quantity whose last digit is looked at"] = 20.0
    heaping_lines: Annotated[Count, "such quantities that a counter needs before being judged"] = 30
    heaping_excess: Annotated[Share, "smallest excess over the expected share that is worth telling"] = 0.15

    echo_lines: Annotated[Count, "lines of the book that a counter needs before being judged"] = 30
    echo_share: Annotated[Share, "share of lines equal to the book that is as good as always"] = 0.99

    burst_records: Annotated[Count, "records in a row whose time is looked at"] = 20
    burst_seconds: Annotated[Amount, "mean seconds from one record to the next below which nobody counts"] = 2.0
    stamp_seconds: Annotated[Amount, "gap below which a device stamped records together, and nobody counted"] = 0.05

    change_units: Annotated[Amount, "smallest change since the last count that is sudden"] = 5.0
    change_share: Annotated[Share, "the same as a share of the larger of both counts"] = 0.25
    recount_days: Annotated[Amount, "days within which the rounds of a rack should find the same"] = 7.0

    serial_length: Annotated[Count, "shortest serial number that is judged as a made-up one, such as 1111 or 1234"] = 4
    run_length: Annotated[Count, "consecutive serial numbers in one record that are a run"] = 5
    serial_usual: Annotated[Share, "share of others' records from which runs, or missing serial numbers, are usual"] = (
        0.2
    )


def meanings() -> dict[str, tuple[object, str]]:
    """The default and the meaning of each option."""
    hints = get_type_hints(Options, include_extras=True)
    return {field.name: (field.default, str(get_args(hints[field.name])[-1])) for field in fields(Options)}
