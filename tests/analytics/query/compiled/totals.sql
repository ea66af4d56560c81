WITH source AS (
  SELECT
    *
  FROM READ_PARQUET($files, hive_partitioning = FALSE)
)
SELECT
  COALESCE(
    CASE
      WHEN ABS(
        SUM(CAST(FLOOR("book_qty") AS BIGINT)) * 1000000 + SUM(CAST(FLOOR((
          "book_qty" - FLOOR("book_qty")
        ) * 1000000 + 0.5) AS BIGINT))
      ) <= 9007199254740992
      THEN CAST((
        SUM(CAST(FLOOR("book_qty") AS BIGINT)) * 1000000 + SUM(CAST(FLOOR((
          "book_qty" - FLOOR("book_qty")
        ) * 1000000 + 0.5) AS BIGINT))
      ) AS DOUBLE) / 1000000
      ELSE CAST((
        SUM(CAST(FLOOR("book_qty") AS BIGINT)) * 1000000 + SUM(CAST(FLOOR((
          "book_qty" - FLOOR("book_qty")
        ) * 1000000 + 0.5) AS BIGINT))
      ) // 1000000 AS DOUBLE) + CAST((
        SUM(CAST(FLOOR("book_qty") AS BIGINT)) * 1000000 + SUM(CAST(FLOOR((
          "book_qty" - FLOOR("book_qty")
        ) * 1000000 + 0.5) AS BIGINT))
      ) % 1000000 AS DOUBLE) / 1000000
    END,
    0
  ) AS "book_qty_sum",
  CASE
    WHEN ABS(
      SUM(CAST(FLOOR("book_qty") AS BIGINT)) * 1000000 + SUM(CAST(FLOOR((
        "book_qty" - FLOOR("book_qty")
      ) * 1000000 + 0.5) AS BIGINT))
    ) <= 9007199254740992
    THEN CAST((
      SUM(CAST(FLOOR("book_qty") AS BIGINT)) * 1000000 + SUM(CAST(FLOOR((
        "book_qty" - FLOOR("book_qty")
      ) * 1000000 + 0.5) AS BIGINT))
    ) AS DOUBLE) / 1000000
    ELSE CAST((
      SUM(CAST(FLOOR("book_qty") AS BIGINT)) * 1000000 + SUM(CAST(FLOOR((
        "book_qty" - FLOOR("book_qty")
      ) * 1000000 + 0.5) AS BIGINT))
    ) // 1000000 AS DOUBLE) + CAST((
      SUM(CAST(FLOOR("book_qty") AS BIGINT)) * 1000000 + SUM(CAST(FLOOR((
        "book_qty" - FLOOR("book_qty")
      ) * 1000000 + 0.5) AS BIGINT))
    ) % 1000000 AS DOUBLE) / 1000000
  END / COUNT("book_qty") AS "book_qty_avg"
FROM source
HAVING
  COUNT(*) > 0
