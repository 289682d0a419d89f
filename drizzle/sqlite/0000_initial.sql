CREATE TABLE `api_keys` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL,
	`key_hash` text NOT NULL,
	`hint` text NOT NULL,
	`scope` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer,
	`revoked_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_hash_unique` ON `api_keys` (`key_hash`);--> statement-breakpoint
CREATE TABLE `audit_log` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`subject` text NOT NULL,
	`before` text,
	`after` text
);
--> statement-breakpoint
CREATE INDEX `audit_log_at_idx` ON `audit_log` (`at`);--> statement-breakpoint
CREATE TABLE `bot_users` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`bot_id` integer NOT NULL,
	`telegram_user_id` text NOT NULL,
	`username` text,
	`first_name` text,
	`language_code` text,
	`first_token` text,
	`latest_token` text,
	`blocked_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`bot_id`) REFERENCES `bots`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `bot_users_bot_user_unique` ON `bot_users` (`bot_id`,`telegram_user_id`);--> statement-breakpoint
CREATE INDEX `bot_users_telegram_user_idx` ON `bot_users` (`telegram_user_id`);--> statement-breakpoint
CREATE INDEX `bot_users_latest_token_idx` ON `bot_users` (`latest_token`);--> statement-breakpoint
CREATE TABLE `bots` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`username` text NOT NULL,
	`token` text,
	`webhook_secret` text,
	`telegram_id` text,
	`enabled` integer DEFAULT true NOT NULL,
	`healthy` integer DEFAULT true NOT NULL,
	`health_reason` text,
	`locale` text,
	`welcome` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `bots_username_unique` ON `bots` (`username`);--> statement-breakpoint
CREATE TABLE `dispatchers` (
	`id` text PRIMARY KEY NOT NULL,
	`host` text NOT NULL,
	`pid` integer NOT NULL,
	`started_at` integer NOT NULL,
	`heartbeat_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `funnel_states` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`dedup_key` text NOT NULL,
	`state` text NOT NULL,
	`pool_id` integer,
	`bot_id` integer,
	`bot_user_id` integer,
	`tracking_token` text,
	`offer_id` integer,
	`payment_id` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `funnel_states_dedup_key_unique` ON `funnel_states` (`dedup_key`);--> statement-breakpoint
CREATE INDEX `funnel_states_token_idx` ON `funnel_states` (`tracking_token`);--> statement-breakpoint
CREATE INDEX `funnel_states_bot_user_idx` ON `funnel_states` (`bot_user_id`);--> statement-breakpoint
CREATE INDEX `funnel_states_created_at_idx` ON `funnel_states` (`created_at`);--> statement-breakpoint
CREATE TABLE `gate_refusals` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`pool_id` integer NOT NULL,
	`reason` text NOT NULL,
	`hour` integer NOT NULL,
	`total` integer NOT NULL,
	FOREIGN KEY (`pool_id`) REFERENCES `pools`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `gate_refusals_pool_reason_hour_unique` ON `gate_refusals` (`pool_id`,`reason`,`hour`);--> statement-breakpoint
CREATE TABLE `offers` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`bot_id` integer NOT NULL,
	`name` text NOT NULL,
	`description` text NOT NULL,
	`price_minor` integer NOT NULL,
	`currency` text NOT NULL,
	`provider` text NOT NULL,
	`delivery` text NOT NULL,
	`position` integer DEFAULT 0 NOT NULL,
	`enabled` integer DEFAULT true NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`bot_id`) REFERENCES `bots`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `offers_bot_idx` ON `offers` (`bot_id`,`position`);--> statement-breakpoint
CREATE TABLE `operator_sessions` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`session_hash` text NOT NULL,
	`csrf_token` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `operator_sessions_hash_unique` ON `operator_sessions` (`session_hash`);--> statement-breakpoint
CREATE TABLE `outbox` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`destination` text NOT NULL,
	`route` text NOT NULL,
	`event_name` text NOT NULL,
	`event_id` text NOT NULL,
	`pool_id` integer,
	`tracking_token` text,
	`payment_id` text,
	`payload` text NOT NULL,
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
CREATE UNIQUE INDEX `outbox_destination_event_id_unique` ON `outbox` (`destination`,`event_id`);--> statement-breakpoint
CREATE INDEX `outbox_pending_idx` ON `outbox` (`destination`,`route`,`available_at`,`id`) WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX `outbox_sending_idx` ON `outbox` (`lease_until`) WHERE status = 'sending';--> statement-breakpoint
CREATE INDEX `outbox_troubled_idx` ON `outbox` (`status`,`id`) WHERE status in ('dead', 'expired', 'discarded');--> statement-breakpoint
CREATE INDEX `outbox_token_idx` ON `outbox` (`tracking_token`) WHERE tracking_token is not null;--> statement-breakpoint
CREATE TABLE `outbox_attempts` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`destination` text NOT NULL,
	`route` text NOT NULL,
	`outbox_ids` text NOT NULL,
	`events` integer NOT NULL,
	`outcome` text NOT NULL,
	`status` integer,
	`code` integer,
	`subcode` integer,
	`fbtrace_id` text,
	`duration_ms` integer NOT NULL,
	`response` text NOT NULL,
	`started_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `outbox_attempts_route_started_idx` ON `outbox_attempts` (`destination`,`route`,`started_at`);--> statement-breakpoint
CREATE TABLE `outbox_routes` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`destination` text NOT NULL,
	`route` text NOT NULL,
	`paused_at` integer,
	`paused_reason` text,
	`throttled_until` integer,
	`failures` integer DEFAULT 0 NOT NULL,
	`open_until` integer,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `outbox_routes_destination_route_unique` ON `outbox_routes` (`destination`,`route`);--> statement-breakpoint
CREATE TABLE `payments` (
	`id` text PRIMARY KEY NOT NULL,
	`provider` text NOT NULL,
	`provider_ref` text NOT NULL,
	`status` text NOT NULL,
	`amount_minor` integer NOT NULL,
	`currency` text NOT NULL,
	`pool_id` integer,
	`bot_id` integer,
	`bot_user_id` integer,
	`offer_id` integer,
	`tracking_token` text,
	`customer_user_id` text,
	`customer` text,
	`content` text,
	`provider_data` text,
	`paid_at` integer,
	`refunded_at` integer,
	`meta_purchase_sent` integer DEFAULT false NOT NULL,
	`meta_purchase_sent_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `payments_provider_ref_unique` ON `payments` (`provider`,`provider_ref`);--> statement-breakpoint
CREATE INDEX `payments_token_idx` ON `payments` (`tracking_token`);--> statement-breakpoint
CREATE INDEX `payments_bot_user_idx` ON `payments` (`bot_user_id`);--> statement-breakpoint
CREATE INDEX `payments_created_at_idx` ON `payments` (`created_at`);--> statement-breakpoint
CREATE TABLE `pool_bots` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`pool_id` integer NOT NULL,
	`bot_id` integer NOT NULL,
	`weight` integer DEFAULT 1 NOT NULL,
	`enabled` integer DEFAULT true NOT NULL,
	`total_redirects` integer DEFAULT 0,
	FOREIGN KEY (`pool_id`) REFERENCES `pools`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`bot_id`) REFERENCES `bots`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `pool_bots_pool_bot_unique` ON `pool_bots` (`pool_id`,`bot_id`);--> statement-breakpoint
CREATE TABLE `pools` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`slug` text NOT NULL,
	`name` text NOT NULL,
	`enabled` integer DEFAULT true NOT NULL,
	`strategy` text DEFAULT 'weighted' NOT NULL,
	`locale` text,
	`auto_continue_ms` integer,
	`capture_params` text NOT NULL,
	`meta_tracking_enabled` integer DEFAULT true NOT NULL,
	`meta_pixel_id` text,
	`meta_access_token` text,
	`meta_test_event_code` text,
	`meta_cloaker_enabled` integer DEFAULT false NOT NULL,
	`meta_cloaker_param_name` text DEFAULT 'grim' NOT NULL,
	`meta_cloaker_param_value` text,
	`block_automated` integer DEFAULT false NOT NULL,
	`utmify_pixel_id` text,
	`send_lead` integer DEFAULT false NOT NULL,
	`send_initiate_checkout` integer DEFAULT false NOT NULL,
	`total_redirects` integer DEFAULT 0,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `pools_slug_unique` ON `pools` (`slug`);--> statement-breakpoint
CREATE TABLE `meta_tracking_sessions` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`tracking_token` text NOT NULL,
	`root_event_id` text NOT NULL,
	`pool_id` integer NOT NULL,
	`bot_id` integer NOT NULL,
	`pageview_sent` integer DEFAULT false NOT NULL,
	`pageview_sent_at` integer,
	`pageview_ts` integer NOT NULL,
	`click_ts` integer,
	`fbclid` text,
	`fbc` text,
	`fbc_origin` text,
	`fbp` text,
	`fbi` text,
	`utm_source` text,
	`utm_campaign` text,
	`utm_medium` text,
	`utm_content` text,
	`utm_term` text,
	`grim` text,
	`params` text,
	`client_ip` text,
	`user_agent` text,
	`referrer` text,
	`event_source_url` text,
	`consent` text,
	`user_external_id` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `meta_tracking_sessions_tracking_token_unique` ON `meta_tracking_sessions` (`tracking_token`);--> statement-breakpoint
CREATE INDEX `meta_tracking_sessions_user_external_id_idx` ON `meta_tracking_sessions` (`user_external_id`) WHERE user_external_id is not null;--> statement-breakpoint
CREATE TABLE `settings` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `telegram_updates` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`bot_id` integer NOT NULL,
	`update_id` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `telegram_updates_bot_update_unique` ON `telegram_updates` (`bot_id`,`update_id`);