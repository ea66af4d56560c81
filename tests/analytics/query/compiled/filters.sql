WITH source AS (
  SELECT
    *
  FROM READ_PARQUET($files, hive_partitioning = FALSE)
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
  "received_at"
FROM source
WHERE
  (
    (
      (
        (
          (
            (
              (
                (
                  (
                    (
                      (
                        (
                          (
                            (
                              NOT (
                                COALESCE("client_record_id" IN ($p0), FALSE)
                              ) AND "floor" IS NULL
                            )
                            AND REGEXP_MATCHES("item_code", $p1, 'i')
                          )
                          AND STARTS_WITH("item_code", $p2)
                        )
                        AND CONTAINS("category", $p3)
                      )
                      AND NOT "category" IS NULL
                    )
                    AND "verified_qty" >= $p4
                  )
                  AND "verified_qty" < $p5
                )
                AND "damage_qty" BETWEEN $p6 AND $p7
              )
              AND (
                "rack_id" IS NULL OR COALESCE("rack_id" IN ($p8), FALSE)
              )
            )
            AND NOT (
              COALESCE(LIST_HAS_ANY("serial_numbers", [$p9]), FALSE)
            )
          )
          AND LEN(LIST_FILTER("serial_numbers", LAMBDA one : CONTAINS(one, $p10))) > 0
        )
        AND LEN(LIST_FILTER("serial_numbers", LAMBDA one : STARTS_WITH(one, $p11))) > 0
      )
      AND "received_at" > $p12
    )
    AND NOT "mrp" IS NULL
  )
  AND FALSE
ORDER BY
  "client_record_id" ASC NULLS FIRST
-- $p0 = c-1
-- $p1 = ^0
-- $p2 = 00
-- $p3 = 100% $new
-- $p4 = 1.0
-- $p5 = 9.0
-- $p6 = 0.0
-- $p7 = 3.0
-- $p8 = R1
-- $p9 = SN1
-- $p10 = N
-- $p11 = S
-- $p12 = 2026-01-31 00:00:00+00:00
