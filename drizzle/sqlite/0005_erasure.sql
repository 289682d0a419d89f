ALTER TABLE `outbox` ADD `bot_user_id` integer;--> statement-breakpoint
CREATE INDEX `outbox_bot_user_idx` ON `outbox` (`bot_user_id`) WHERE bot_user_id is not null;--> statement-breakpoint
ALTER TABLE `payments` ADD `erased_at` integer;--> statement-breakpoint
CREATE INDEX `payments_customer_idx` ON `payments` (`customer_user_id`) WHERE customer_user_id is not null;