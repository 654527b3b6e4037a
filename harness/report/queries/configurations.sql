-- Run after snapshot.sql and, of figures, choose.sql: the configurations of what there is then, with their settings and their
-- names, found once, too.
CREATE TEMP TABLE evaluated_once AS SELECT * FROM grid_evaluated ORDER BY split, config_id;
DROP VIEW temp.grid_evaluated;
CREATE TEMP VIEW grid_evaluated AS SELECT * FROM evaluated_once;
CREATE TEMP TABLE settings_once AS SELECT * FROM config_settings ORDER BY config_id;
CREATE INDEX temp.settings_of ON settings_once (config_id, key);
DROP VIEW temp.config_settings;
CREATE TEMP VIEW config_settings AS SELECT * FROM settings_once;
CREATE TEMP TABLE named_settings_once AS SELECT * FROM grid_settings;
CREATE INDEX temp.named_settings_of ON named_settings_once (config_id, split);
DROP VIEW temp.grid_settings;
CREATE TEMP VIEW grid_settings AS SELECT * FROM named_settings_once;
CREATE TEMP TABLE configurations_once AS SELECT * FROM grid_configurations;
CREATE INDEX temp.configurations_of ON configurations_once (config_id, split);
DROP VIEW temp.grid_configurations;
CREATE TEMP VIEW grid_configurations AS SELECT * FROM configurations_once;
