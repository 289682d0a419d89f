ALTER TABLE `api_keys` ADD `form_id` text;--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_form_unique` ON `api_keys` (`form_id`);