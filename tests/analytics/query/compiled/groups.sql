WITH source AS (
  SELECT
    *
  FROM READ_PARQUET($files, hive_partitioning = FALSE)
), groups AS (
  SELECT
    "floor",
    "client_record_id",
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
    ) AS "verified_qty_sum",
    MAX("verified_qty") AS "verified_qty_max",
    COALESCE(CAST(SUM("round") AS BIGINT), 0) AS "round_sum",
    CASE
      WHEN ABS(
        SUM(CAST(FLOOR("mrp") AS BIGINT)) * 1000000 + SUM(CAST(FLOOR((
          "mrp" - FLOOR("mrp")
        ) * 1000000 + 0.5) AS BIGINT))
      ) <= 9007199254740992
      THEN CAST((
        SUM(CAST(FLOOR("mrp") AS BIGINT)) * 1000000 + SUM(CAST(FLOOR((
          "mrp" - FLOOR("mrp")
        ) * 1000000 + 0.5) AS BIGINT))
      ) AS DOUBLE) / 1000000
      ELSE CAST((
        SUM(CAST(FLOOR("mrp") AS BIGINT)) * 1000000 + SUM(CAST(FLOOR((
          "mrp" - FLOOR("mrp")
        ) * 1000000 + 0.5) AS BIGINT))
      ) // 1000000 AS DOUBLE) + CAST((
        SUM(CAST(FLOOR("mrp") AS BIGINT)) * 1000000 + SUM(CAST(FLOOR((
          "mrp" - FLOOR("mrp")
        ) * 1000000 + 0.5) AS BIGINT))
      ) % 1000000 AS DOUBLE) / 1000000
    END / COUNT("mrp") AS "mrp_avg",
    MAX("item_code") AS "item_code_max",
    COUNT(DISTINCT "item_code") AS "item_code_count_distinct",
    COUNT("serial_numbers") AS "serial_numbers_count",
    COALESCE(LEN(LIST_DISTINCT(FLATTEN(LIST("serial_numbers")))), 0) AS "serial_numbers_count_distinct"
  FROM source
  WHERE
    COALESCE("status" IN ($p0), FALSE)
  GROUP BY
    "floor",
    "client_record_id"
)
SELECT
  *
FROM groups
WHERE
  "verified_qty_sum" > $p1 AND NOT (
    "floor" IS NULL
  )
ORDER BY
  "verified_qty_sum" DESC,
  "floor" ASC NULLS FIRST,
  "client_record_id" ASC NULLS FIRST
LIMIT 5
OFFSET 10
-- $p0 = finalized
-- $p1 = 0.0
