WITH source AS (
  SELECT
    *
  FROM READ_PARQUET($files)
)
SELECT
  COALESCE(
    (
      CAST(SUM(CAST(FLOOR("book_qty" * 1000000 + 0.5) AS BIGINT)) // 1000000 AS DOUBLE) + CAST(SUM(CAST(FLOOR("book_qty" * 1000000 + 0.5) AS BIGINT)) % 1000000 AS DOUBLE) / 1000000
    ),
    0
  ) AS "book_qty_sum",
  (
    CAST(SUM(CAST(FLOOR("book_qty" * 1000000 + 0.5) AS BIGINT)) // 1000000 AS DOUBLE) + CAST(SUM(CAST(FLOOR("book_qty" * 1000000 + 0.5) AS BIGINT)) % 1000000 AS DOUBLE) / 1000000
  ) / COUNT("book_qty") AS "book_qty_avg"
FROM source
HAVING
  COUNT(*) > 0
