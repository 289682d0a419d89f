-- The audit log tells keys by their names. Older versions let several live keys have one name, and one be called as
-- API_KEY of the environment is: all but the first of a name, and that one, go on working under a name with their number.
UPDATE "api_keys" SET "name" = "name" || ' (key ' || "id" || ')'
WHERE "revoked_at" IS NULL AND (
	lower("name") = 'environment'
	OR EXISTS (
		SELECT 1 FROM "api_keys" AS "older"
		WHERE "older"."name" = "api_keys"."name" AND "older"."revoked_at" IS NULL AND "older"."id" < "api_keys"."id"
	)
);
--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_live_name_unique" ON "api_keys" USING btree ("name") WHERE revoked_at is null;
