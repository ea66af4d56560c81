WITH source AS (
  SELECT
    *
  FROM READ_PARQUET($files, hive_partitioning = FALSE)
), calculated AS (
  SELECT
    *,
    CASE
      WHEN NOT EPOCH_MS("received_at") IS NULL
      THEN STRFTIME(
        DATE_TRUNC(
          'WEEK',
          EPOCH_MS(GREATEST(LEAST(EPOCH_MS("received_at") + 0, 253402300799999), -62135596800000))
        ),
        '%Y-%m-%d'
      )
    END AS "received_at_week"
  FROM source
), groups AS (
  SELECT
    "received_at_week",
    COALESCE(
      CASE
        WHEN ABS(
          SUM(CAST(FLOOR("verified_qty") AS BIGINT)) * 1000000 + SUM(
            CAST(FLOOR((
              "verified_qty" - FLOOR("verified_qty")
            ) * 1000000 + 0.5) AS BIGINT)
          )
        ) <= 9007199254740992
        THEN CAST((
          SUM(CAST(FLOOR("verified_qty") AS BIGINT)) * 1000000 + SUM(
            CAST(FLOOR((
              "verified_qty" - FLOOR("verified_qty")
            ) * 1000000 + 0.5) AS BIGINT)
          )
        ) AS DOUBLE) / 1000000
        ELSE CAST((
          SUM(CAST(FLOOR("verified_qty") AS BIGINT)) * 1000000 + SUM(
            CAST(FLOOR((
              "verified_qty" - FLOOR("verified_qty")
            ) * 1000000 + 0.5) AS BIGINT)
          )
        ) // 1000000 AS DOUBLE) + CAST((
          SUM(CAST(FLOOR("verified_qty") AS BIGINT)) * 1000000 + SUM(
            CAST(FLOOR((
              "verified_qty" - FLOOR("verified_qty")
            ) * 1000000 + 0.5) AS BIGINT)
          )
        ) % 1000000 AS DOUBLE) / 1000000
      END,
      0
    ) AS "verified_qty_sum"
  FROM calculated
  GROUP BY
    "received_at_week"
)
SELECT
  *
FROM groups
WHERE
  "received_at_week" >= $p0
ORDER BY
  "received_at_week" ASC NULLS FIRST
-- $p0 = 2026-01-01
