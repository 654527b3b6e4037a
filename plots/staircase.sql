-- The k-bit value of a weight against its place u in the range, for three rounders with the endpoint
-- dequantizer: nearest at k bits; nearest at 8 bits, then cut to k by a shift; floor at k bits. `differ`
-- marks where the first two disagree: there a model trained with one is run with the other.
-- No row of the database is read. Between two neighbouring edges every curve is constant, so each such
-- interval is evaluated once, in its middle, and written as two rows. Ties of nearest fall on edges.
WITH RECURSIVE
widths(k) AS (VALUES (2), (3)),
steps(k, q) AS ( -- the codes above 0; each has a lower edge in every curve
    SELECT k, 1 FROM widths
    UNION ALL
    SELECT k, q + 1 FROM steps WHERE q + 1 < 1 << k
),
edges(k, u) AS (
    SELECT k, 0.0 FROM widths
    UNION SELECT k, 1.0 FROM widths
    UNION SELECT k, (q - 0.5) / ((1 << k) - 1) FROM steps
    UNION SELECT k, ((q << (8 - k)) - 0.5) / 255 FROM steps
    UNION SELECT k, q * 1.0 / (1 << k) FROM steps
),
intervals(k, a, b) AS (
    SELECT k, u, lead(u) OVER (PARTITION BY k ORDER BY u) FROM edges
),
codes(k, a, b, nearest, truncated, floored) AS (
    SELECT k, a, b,
           CAST(round(((1 << k) - 1) * (a + b) / 2) AS INTEGER),
           CAST(round(255 * (a + b) / 2) AS INTEGER) >> (8 - k),
           min(CAST(floor((1 << k) * (a + b) / 2) AS INTEGER), (1 << k) - 1)
    FROM intervals
    WHERE b - a > 1e-12 -- edges that are equal but for their last bits
)
SELECT k, u,
       round(nearest * 1.0 / ((1 << k) - 1), 9) AS nearest,
       round(truncated * 1.0 / ((1 << k) - 1), 9) AS truncated,
       round(floored * 1.0 / ((1 << k) - 1), 9) AS floor,
       nearest <> truncated AS differ
FROM (SELECT k, a AS u, a, nearest, truncated, floored FROM codes
      UNION ALL
      SELECT k, b AS u, a, nearest, truncated, floored FROM codes)
ORDER BY k, a, u;
