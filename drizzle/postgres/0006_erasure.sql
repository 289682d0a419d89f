ALTER TABLE "outbox" ADD COLUMN "bot_user_id" bigint;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "erased_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "outbox_bot_user_idx" ON "outbox" USING btree ("bot_user_id") WHERE bot_user_id is not null;--> statement-breakpoint
CREATE INDEX "payments_customer_idx" ON "payments" USING btree ("customer_user_id") WHERE customer_user_id is not null;