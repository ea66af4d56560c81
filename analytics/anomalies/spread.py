"""What is usual in a group, and how far from it is far: said so that a few wild values do not move it."""

SCALES = """
centres AS (SELECT part, count(*) AS members, median(value) AS centre FROM measured GROUP BY part),
spreads AS (
    SELECT part, members, centre, median(abs(value - centre)) AS mad, avg(abs(value - centre)) AS mean_deviation,
        median(abs(value - centre)) FILTER (value <> centre) AS usual_deviation,
        count(*) FILTER (value <> centre) AS deviating
    FROM measured JOIN centres USING (part) GROUP BY part, members, centre
),
scales AS (
    SELECT part, members, centre, CASE
        WHEN mad > 0 THEN 1.4826 * mad
        WHEN deviating >= $varied_lines THEN 1.4826 * usual_deviation
        ELSE 1.2533 * mean_deviation
    END AS scale, CASE
        WHEN mad > 0 THEN 'median deviation'
        WHEN deviating >= $varied_lines THEN 'median deviation of the lines that deviate at all'
        ELSE 'mean deviation'
    END AS scaled_by
    FROM spreads
)
"""
"""Common tables that give each `part` of the table `measured` the centre and the scale of its `value`.

1.4826 times the median absolute deviation is the standard deviation of a normal distribution (Hampel 1974), and 1.2533
times the mean absolute deviation is too, and is usual where the former is 0 (as in IBM's modified z-score). With most
values equal and some different, that scale would be tiny and every difference an outlier, so that from `varied_lines`
different ones on the scale is that of the differences.
"""
