-- What has to be said under the figure of layers.sql besides its recipe and commits, one line a row: what a shade is, seeds.
SELECT 'shade: |cut - direct|² / |direct|² of a layer''s weights at k bits, logarithmic;' || char(10)
    || 'white: the same to the last bit; at the scale''s ends: beyond it, too;' || char(10)
    || 'layers are numbered as in the network''s file'
UNION ALL
SELECT CASE hi WHEN 1 THEN 'one seed' ELSE printf('mean of %s seeds', many) END
FROM seeds;
