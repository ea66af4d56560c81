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
          'DAY',
          EPOCH_MS(
            GREATEST(
              LEAST(
                EPOCH_MS("received_at") + CASE
                  WHEN EPOCH_MS("received_at") >= 820454400000
                  THEN CASE
                    WHEN EPOCH_MS("received_at") - EPOCH_MS(MAKE_DATE(YEAR(EPOCH_MS(EPOCH_MS("received_at"))), 1, 1)) >= [
                      7174800000,
                      7693200000,
                      7606800000,
                      7520400000,
                      7434000000,
                      7347600000,
                      7261200000,
                      7779600000,
                      7693200000,
                      7606800000,
                      7520400000,
                      7434000000,
                      7347600000,
                      7261200000
                    ][ISODOW(MAKE_DATE(YEAR(EPOCH_MS(EPOCH_MS("received_at"))), 1, 1)) + 7 * (
                      DAYOFYEAR(MAKE_DATE(YEAR(EPOCH_MS(EPOCH_MS("received_at"))), 12, 31)) - 365
                    ) + 0]
                    AND EPOCH_MS("received_at") - EPOCH_MS(MAKE_DATE(YEAR(EPOCH_MS(EPOCH_MS("received_at"))), 1, 1)) < [
                      25923600000,
                      25837200000,
                      25750800000,
                      25664400000,
                      26182800000,
                      26096400000,
                      26010000000,
                      25923600000,
                      25837200000,
                      25750800000,
                      26269200000,
                      26182800000,
                      26096400000,
                      26010000000
                    ][ISODOW(MAKE_DATE(YEAR(EPOCH_MS(EPOCH_MS("received_at"))), 1, 1)) + 7 * (
                      DAYOFYEAR(MAKE_DATE(YEAR(EPOCH_MS(EPOCH_MS("received_at"))), 12, 31)) - 365
                    ) + 0]
                    THEN 7200000
                    ELSE 3600000
                  END
                  WHEN EPOCH_MS("received_at") >= 811904400000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 796179600000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 780454800000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 764730000000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 749005200000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 733280400000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 717555600000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 701830800000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 686106000000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 670381200000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 654656400000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 638326800000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 622602000000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 606877200000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 591152400000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 575427600000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 559702800000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 543978000000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 528253200000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 512528400000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 496803600000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 481078800000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 465354000000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 449024400000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 433299600000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 417574800000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 401850000000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 386125200000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 370400400000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 354675600000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= 338940000000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= 323823600000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= -670460400000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= -684975600000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= -701910000000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= -717634800000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= -733273200000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= -748479600000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= -780188400000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= -781052400000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= -796777200000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= -812502000000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= -828226800000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= -844556400000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= -857257200000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= -938905200000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= -1555801200000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= -1569711600000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= -1618700400000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= -1632006000000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= -1650150000000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= -1663455600000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= -1680483600000
                  THEN 3600000
                  WHEN EPOCH_MS("received_at") >= -1693706400000
                  THEN 7200000
                  WHEN EPOCH_MS("received_at") >= -2422055121000
                  THEN 3600000
                  ELSE 3921000
                END,
                253402300799999
              ),
              -62135596800000
            )
          )
        ),
        '%Y-%m-%d'
      )
    END AS "received_at_day"
  FROM source
)
SELECT
  "floor",
  "received_at_day",
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
  "floor",
  "received_at_day"
ORDER BY
  "floor" ASC NULLS FIRST,
  "received_at_day" ASC NULLS FIRST
