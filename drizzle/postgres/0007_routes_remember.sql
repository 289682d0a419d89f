ALTER TABLE "outbox_routes" ADD COLUMN "paused_by" text;--> statement-breakpoint
ALTER TABLE "outbox_routes" ADD COLUMN "throttles" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "outbox_routes" ADD COLUMN "unexplained" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "pools" ADD COLUMN "meta_access_token_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "outbox_payment_idx" ON "outbox" USING btree ("payment_id") WHERE payment_id is not null;