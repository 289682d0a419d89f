-- Every outbox row is updated two or three times within seconds and then never again: vacuum by what changed, not
-- by a share of a table that only grows, or the indexes of what is waiting fill up with what is done.
ALTER TABLE "outbox" SET (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
  autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1
);--> statement-breakpoint
-- A session is updated once, by the browser's report, in columns that no index holds: room on its page lets that be
-- a heap-only update.
ALTER TABLE "meta_tracking_sessions" SET (
  fillfactor = 90,
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 200000,
  autovacuum_analyze_scale_factor = 0.02
);--> statement-breakpoint
-- A handful of rows whose counters change with every commit of visits.
ALTER TABLE "pools" SET (fillfactor = 50, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);--> statement-breakpoint
ALTER TABLE "pool_bots" SET (fillfactor = 50, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);--> statement-breakpoint
ALTER TABLE "outbox_routes" SET (fillfactor = 50, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
