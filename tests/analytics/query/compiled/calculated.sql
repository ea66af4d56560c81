WITH source AS (
  SELECT
    *
  FROM READ_PARQUET($files, hive_partitioning = FALSE)
), calculated AS (
  SELECT
    *,
    CASE
      WHEN (
        "verified_qty" - "damage_qty"
      ) BETWEEN -9000000000000.0 AND 9000000000000.0
      THEN "verified_qty" - "damage_qty"
    END AS "good",
    CASE
      WHEN (
        "damage_qty" / NULLIF("verified_qty", 0)
      ) BETWEEN -9000000000000.0 AND 9000000000000.0
      THEN "damage_qty" / NULLIF("verified_qty", 0)
    END AS "share",
    (
      NOT (
        (
          "share" < CASE WHEN $p0 BETWEEN -9000000000000.0 AND 9000000000000.0 THEN $p0 END
        )
        AND (
          "unknown_item" = $p1
        )
      )
    )
    OR (
      "received_at" >= $p2
    ) AS "odd",
    CASE
      WHEN (
        (
          EPOCH_MS("received_at") - EPOCH_MS("created_at")
        ) / 1000.0
      ) BETWEEN -9000000000000.0 AND 9000000000000.0
      THEN (
        EPOCH_MS("received_at") - EPOCH_MS("created_at")
      ) / 1000.0
    END AS "waited"
  FROM source
)
SELECT
  "client_record_id",
  "session_id",
  "rack_id",
  "floor",
  "bin",
  "round",
  "item_code",
  "verified_qty",
  "damage_qty",
  "serial_numbers",
  "mfg_date",
  "mrp",
  "uom",
  "category",
  "subcategory",
  "item_condition",
  "barcode",
  "lot",
  "expiry_date",
  "status",
  "unknown_item",
  "user_id",
  "username",
  "device_id",
  "created_at",
  "updated_at",
  "received_at",
  "good",
  "share",
  "odd",
  "waited"
FROM calculated
WHERE
  COALESCE("odd" IN ($p3), FALSE) AND COALESCE("floor" IN ($p4), FALSE)
ORDER BY
  "share" DESC,
  "client_record_id" ASC NULLS FIRST
-- $p0 = 0.5
-- $p1 = False
-- $p2 = 2026-01-01 00:00:00+00:00
-- $p3 = True
-- $p4 = Ground
