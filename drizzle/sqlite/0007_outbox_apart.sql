-- An event lies in two tables from here on: what is sent, and how far it is (see src/db/schema/outbox.ts). Everything is
-- copied, so the file needs room for the outbox a second time while this runs. The view `outbox` is in drizzle/views.
DROP VIEW IF EXISTS `outbox_status`;--> statement-breakpoint
DROP VIEW IF EXISTS `outbox_backlog`;--> statement-breakpoint
DROP VIEW IF EXISTS `outbox_dead`;--> statement-breakpoint
DROP VIEW IF EXISTS `pool_performance`;--> statement-breakpoint
DELETE FROM `settings` WHERE `key` = 'views_digest';--> statement-breakpoint
CREATE TABLE `outbox_events` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`destination` text NOT NULL,
	`event_id` text NOT NULL,
	`tracking_token` text,
	`payment_id` text,
	`bot_user_id` integer,
	`payload` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `outbox_progress` (
	`id` integer PRIMARY KEY NOT NULL,
	`destination` text NOT NULL,
	`route` text NOT NULL,
	`event_name` text NOT NULL,
	`pool_id` integer,
	`status` text DEFAULT 'pending' NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`available_at` integer NOT NULL,
	`lease_until` integer,
	`lease_id` text,
	`last_error` text,
	`fbtrace_id` text,
	`created_at` integer NOT NULL,
	`delivered_at` integer
);
--> statement-breakpoint
-- Numbers go on where they were, so that none is given twice.
INSERT INTO `sqlite_sequence` (`name`, `seq`) SELECT 'outbox_events', `seq` FROM `sqlite_sequence` WHERE `name` = 'outbox';--> statement-breakpoint
INSERT INTO `outbox_events` (`id`, `destination`, `event_id`, `tracking_token`, `payment_id`, `bot_user_id`, `payload`)
	SELECT `id`, `destination`, `event_id`, `tracking_token`, `payment_id`, `bot_user_id`, `payload` FROM `outbox` ORDER BY `id`;--> statement-breakpoint
INSERT INTO `outbox_progress` (`id`, `destination`, `route`, `event_name`, `pool_id`, `status`, `attempts`, `available_at`, `lease_until`, `lease_id`, `last_error`, `fbtrace_id`, `created_at`, `delivered_at`)
	SELECT `id`, `destination`, `route`, `event_name`, `pool_id`, `status`, `attempts`, `available_at`, `lease_until`, `lease_id`, `last_error`, `fbtrace_id`, `created_at`, `delivered_at` FROM `outbox` ORDER BY `id`;--> statement-breakpoint
DROP TABLE `outbox`;--> statement-breakpoint
CREATE UNIQUE INDEX `outbox_events_event_id_destination_unique` ON `outbox_events` (`event_id`,`destination`);--> statement-breakpoint
CREATE INDEX `outbox_events_token_idx` ON `outbox_events` (`tracking_token`) WHERE tracking_token is not null;--> statement-breakpoint
CREATE INDEX `outbox_events_bot_user_idx` ON `outbox_events` (`bot_user_id`) WHERE bot_user_id is not null;--> statement-breakpoint
CREATE INDEX `outbox_events_payment_idx` ON `outbox_events` (`payment_id`) WHERE payment_id is not null;--> statement-breakpoint
CREATE INDEX `outbox_pending_idx` ON `outbox_progress` (`destination`,`route`,`available_at`,`id`) WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX `outbox_sending_idx` ON `outbox_progress` (`lease_until`) WHERE status = 'sending';--> statement-breakpoint
CREATE INDEX `outbox_troubled_idx` ON `outbox_progress` (`status`,`id`) WHERE status in ('dead', 'expired', 'discarded');
