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
          'MONTH',
          EPOCH_MS(
            GREATEST(
              LEAST(
                EPOCH_MS("received_at") + CASE
                  WHEN EPOCH_MS("received_at") >= -764145000000
                  THEN 19800000
                  WHEN EPOCH_MS("received_at") >= -862637400000
                  THEN 23400000
                  WHEN EPOCH_MS("received_at") >= -872058600000
                  THEN 19800000
                  WHEN EPOCH_MS("received_at") >= -891581400000
                  THEN 23400000
                  WHEN EPOCH_MS("received_at") >= -2019705670000
                  THEN 19800000
                  WHEN EPOCH_MS("received_at") >= -3155694800000
                  THEN 19270000
                  WHEN EPOCH_MS("received_at") >= -3645237208000
                  THEN 21200000
                  ELSE 21208000
                END,
                253402300799999
              ),
              -62135596800000
            )
          )
        ),
        '%Y-%m-%d'
      )
    END AS "received_at_month"
  FROM source
)
SELECT
  "received_at_month",
  COUNT("client_record_id") AS "client_record_id_count"
FROM calculated
GROUP BY
  "received_at_month"
ORDER BY
  "received_at_month" ASC NULLS FIRST
