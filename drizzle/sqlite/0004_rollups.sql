CREATE TABLE `delivery_rates` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`unit` text NOT NULL,
	`at` integer NOT NULL,
	`destination` text NOT NULL,
	`route` text NOT NULL,
	`requests` integer NOT NULL,
	`failures` integer NOT NULL,
	`delivered` integer NOT NULL,
	`duration_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `delivery_rates_unit_at_destination_route_unique` ON `delivery_rates` (`unit`,`at`,`destination`,`route`);--> statement-breakpoint
CREATE TABLE `funnel_hourly` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`dimension` text NOT NULL,
	`hour` integer NOT NULL,
	`key` text NOT NULL,
	`currency` text NOT NULL,
	`clicks` integer NOT NULL,
	`starts` integer NOT NULL,
	`checkouts` integer NOT NULL,
	`paid` integer NOT NULL,
	`delivered` integer NOT NULL,
	`refunded` integer NOT NULL,
	`value_minor` integer NOT NULL,
	`refunded_minor` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `funnel_hourly_dimension_hour_key_currency_unique` ON `funnel_hourly` (`dimension`,`hour`,`key`,`currency`);