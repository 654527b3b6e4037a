-- Run after snapshot.sql, for a figure of which --scheme, --panel or --widths choose a part (chosen.h): what is not chosen is
-- out of all that follows, so that names and caption speak of what is shown alone. A panel is a network on a data set:
-- where networks are named, theirs, and where data sets are, theirs. `shown_widths` is for queries of what is no accuracy.
CREATE TEMP TABLE named_panels AS
SELECT max(instr(:panels, ',' || network || ',')) > 0 AS networks, max(instr(:panels, ',' || dataset || ',')) > 0 AS datasets
FROM snapshot;
DELETE FROM snapshot WHERE instr(:schemes, ',' || scheme || ',') = 0;
DELETE FROM snapshot
WHERE instr(:panels, ',' || network || ',') = 0 AND (SELECT networks FROM named_panels)
   OR instr(:panels, ',' || dataset || ',') = 0 AND (SELECT datasets FROM named_panels);
DELETE FROM snapshot WHERE instr(:widths, ',' || bits || ',') = 0;
CREATE TEMP TABLE shown_widths AS
WITH RECURSIVE every(bits) AS (VALUES (0) UNION ALL SELECT bits + 1 FROM every WHERE bits < 32)
SELECT bits FROM every WHERE instr(:widths, ',' || bits || ',') IS NOT 0;
