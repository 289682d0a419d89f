-- Telegram ignores the case of usernames. Older versions let two operators at once make @Shop and @shop, which are one bot:
-- of such doubles the one that visitors may be sent to stays (else one with a token, else the oldest) and takes over the
-- others' pools, so that links work on. The others keep their people, offers and history under a name with their number.
CREATE TABLE "bot_doubles" AS
SELECT "id", "kept_id" FROM (
	SELECT "id", first_value("id") OVER (
		PARTITION BY lower("username") ORDER BY ("enabled" AND "healthy") DESC, ("token" IS NOT NULL) DESC, "id"
	) AS "kept_id" FROM "bots"
) AS "ranked"
WHERE "id" <> "kept_id";
--> statement-breakpoint
DELETE FROM "pool_bots" WHERE "id" IN (
	SELECT "id" FROM (
		SELECT "pool_bots"."id", row_number() OVER (
			PARTITION BY "pool_id", coalesce("kept_id", "bot_id") ORDER BY ("enabled" AND "weight" > 0) DESC, "pool_bots"."id"
		) AS "place" FROM "pool_bots" LEFT JOIN "bot_doubles" ON "bot_doubles"."id" = "bot_id"
	) AS "ranked"
	WHERE "place" > 1
);
--> statement-breakpoint
UPDATE "pool_bots" SET "bot_id" = (SELECT "kept_id" FROM "bot_doubles" WHERE "bot_doubles"."id" = "pool_bots"."bot_id")
WHERE "bot_id" IN (SELECT "id" FROM "bot_doubles");
--> statement-breakpoint
-- No bot of Telegram's is called like this: their names end in "bot".
UPDATE "bots" SET "username" = substr("username", 1, 16) || '_double_' || "id"
WHERE "id" IN (SELECT "id" FROM "bot_doubles");
--> statement-breakpoint
DROP TABLE "bot_doubles";
--> statement-breakpoint
DROP INDEX "bots_username_unique";
--> statement-breakpoint
CREATE UNIQUE INDEX "bots_username_lower_unique" ON "bots" USING btree (lower("username"));
