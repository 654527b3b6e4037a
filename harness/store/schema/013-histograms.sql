-- How the weights of a quantized layer lie in [0, 1] by its range map, u = r(W): when its training began (the weights that
-- the seed draws, that `init` or the parent gives), and when the run ended. Layers without a range map have none.
-- 256 bins of equal width, the last with u = 1: the codes that `floor` gives at 8 bits. A row has them all, as an array of
-- JSON from the first on: a row for each bin, of which few are empty, would take six times as many bytes.
CREATE TABLE histograms (
    attempt INTEGER NOT NULL REFERENCES attempts,
    layer INTEGER NOT NULL, -- number in the cfg
    stage TEXT NOT NULL CHECK (stage IN ('start', 'end')),
    weights INTEGER NOT NULL CHECK (weights > 0), -- of the layer: the sum of the counts
    counts TEXT NOT NULL CHECK (json_valid(counts) AND json_array_length(counts) = 256),
    PRIMARY KEY (attempt, layer, stage)
) STRICT; -- rows are too long for a table WITHOUT ROWID, which keeps little of one on a page
