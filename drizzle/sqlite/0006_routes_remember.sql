ALTER TABLE `outbox_routes` ADD `paused_by` text;--> statement-breakpoint
ALTER TABLE `outbox_routes` ADD `throttles` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `outbox_routes` ADD `unexplained` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `pools` ADD `meta_access_token_at` integer;--> statement-breakpoint
CREATE INDEX `outbox_payment_idx` ON `outbox` (`payment_id`) WHERE payment_id is not null;