-- An event lies in two tables from here on: what is sent, and how far it is (see src/db/schema/outbox.ts). The view `outbox`
-- is in drizzle/views. Whoever reads the other views locks them first and the table then, so this does, too.
DROP VIEW IF EXISTS outbox_status, outbox_backlog, outbox_dead, pool_performance;--> statement-breakpoint
-- Nobody writes any more: what was committed during the copy would be missing from it.
LOCK TABLE "outbox" IN ACCESS EXCLUSIVE MODE;--> statement-breakpoint
DELETE FROM "settings" WHERE "key" = 'views_digest';--> statement-breakpoint
CREATE TABLE "outbox_progress" (
	"id" bigint PRIMARY KEY NOT NULL,
	"destination" text NOT NULL,
	"route" text NOT NULL,
	"event_name" text NOT NULL,
	"pool_id" bigint,
	"status" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"available_at" timestamp (3) with time zone NOT NULL,
	"lease_until" timestamp (3) with time zone,
	"lease_id" text,
	"last_error" text,
	"fbtrace_id" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"delivered_at" timestamp (3) with time zone
);
--> statement-breakpoint
INSERT INTO "outbox_progress" ("id", "destination", "route", "event_name", "pool_id", "status", "attempts", "available_at", "lease_until", "lease_id", "last_error", "fbtrace_id", "created_at", "delivered_at")
	SELECT "id", "destination", "route", "event_name", "pool_id", "status", "attempts", "available_at", "lease_until", "lease_id", "last_error", "fbtrace_id", "created_at", "delivered_at" FROM "outbox" ORDER BY "id";--> statement-breakpoint
-- What is sent stays where it lies: nothing of it is copied.
ALTER TABLE "outbox" RENAME TO "outbox_events";--> statement-breakpoint
ALTER SEQUENCE IF EXISTS "outbox_id_seq" RENAME TO "outbox_events_id_seq";--> statement-breakpoint
ALTER INDEX IF EXISTS "outbox_pkey" RENAME TO "outbox_events_pkey";--> statement-breakpoint
ALTER INDEX IF EXISTS "outbox_token_idx" RENAME TO "outbox_events_token_idx";--> statement-breakpoint
ALTER INDEX IF EXISTS "outbox_bot_user_idx" RENAME TO "outbox_events_bot_user_idx";--> statement-breakpoint
ALTER INDEX IF EXISTS "outbox_payment_idx" RENAME TO "outbox_events_payment_idx";--> statement-breakpoint
DROP INDEX IF EXISTS "outbox_destination_event_id_unique";--> statement-breakpoint
DROP INDEX IF EXISTS "outbox_pending_idx";--> statement-breakpoint
DROP INDEX IF EXISTS "outbox_sending_idx";--> statement-breakpoint
DROP INDEX IF EXISTS "outbox_troubled_idx";--> statement-breakpoint
ALTER TABLE "outbox_events"
	DROP COLUMN "route", DROP COLUMN "event_name", DROP COLUMN "pool_id", DROP COLUMN "status", DROP COLUMN "attempts",
	DROP COLUMN "available_at", DROP COLUMN "lease_until", DROP COLUMN "lease_id", DROP COLUMN "last_error",
	DROP COLUMN "fbtrace_id", DROP COLUMN "created_at", DROP COLUMN "delivered_at";--> statement-breakpoint
CREATE UNIQUE INDEX "outbox_events_event_id_destination_unique" ON "outbox_events" USING btree ("event_id","destination");--> statement-breakpoint
CREATE INDEX "outbox_pending_idx" ON "outbox_progress" USING btree ("destination","route","available_at","id") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "outbox_sending_idx" ON "outbox_progress" USING btree ("lease_until") WHERE status = 'sending';--> statement-breakpoint
CREATE INDEX "outbox_troubled_idx" ON "outbox_progress" USING btree ("status","id") WHERE status in ('dead', 'expired', 'discarded');--> statement-breakpoint
-- Every row is updated two or three times within seconds and then never again: vacuum by what changed, not by a share of
-- a table that only grows, or the indexes of what is waiting fill up with what is done.
ALTER TABLE "outbox_progress" SET (
	autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
	autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
	autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1
);--> statement-breakpoint
-- An event is updated once, by the browser's report, in a column that no index holds: room on its page lets that be a
-- heap-only update.
ALTER TABLE "outbox_events" SET (fillfactor = 90);--> statement-breakpoint
-- Whoever was let at the table is let at what it has become; who reads the views is remembered where they are made anew.
DO $$
DECLARE
	granted record;
BEGIN
	FOR granted IN
		SELECT privilege_type, CASE WHEN grantee = 'PUBLIC' THEN 'public' ELSE quote_ident(grantee) END AS grantee
		FROM information_schema.role_table_grants
		WHERE table_schema = 'public' AND table_name = 'outbox_events' AND grantee <> current_user
			AND privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
	LOOP
		EXECUTE format('GRANT %s ON outbox_progress TO %s', granted.privilege_type, granted.grantee);
	END LOOP;
END $$;
