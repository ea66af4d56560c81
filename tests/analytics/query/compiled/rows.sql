WITH source AS (
  SELECT
    *
  FROM READ_PARQUET($files, hive_partitioning = FALSE)
)
SELECT
  "session_id",
  "user_id",
  "username",
  "device_id",
  "rack_id",
  "floor",
  "round",
  "status",
  "started_at",
  "last_heartbeat",
  "completed_at"
FROM source
ORDER BY
  "started_at" DESC,
  "session_id" ASC NULLS FIRST
LIMIT 2
