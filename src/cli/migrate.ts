import { isForbidden } from "../db/fault.ts";
import { SettingError } from "../platform/setting-error.ts";
import { defineCommand } from "./command.ts";
import { answer } from "./print.ts";
import { withDatabase } from "./with-database.ts";

export const migrate = defineCommand({
  name: "migrate",
  summary: "Make the database's tables and views, or bring them up to date",
  options: {},
  details:
    "Safe to repeat. Where the app's database user may not make tables, run it once with a URL that may, or use scripts/create_meta_tracking_sessions.sh and scripts/grant_meta_tracking_sessions.sh.",
  async run(_given, _values, context) {
    await withDatabase(
      context,
      async ({ db }) => {
        await db.migrate().catch((error) => {
          throw isForbidden(error) ? mayNot(error) : error;
        });
        answer(
          context,
          { database: db.dialect.name, migrated: true },
          () => `The ${db.dialect.name} database is up to date.`,
        );
      },
      { mayCreate: true },
    );
  },
});

function mayNot(error: unknown): SettingError {
  return new SettingError(
    "DATABASE_URL: its user may not make or change Ponte's tables",
    "It must own them, and be allowed to make more: GRANT CREATE, USAGE ON SCHEMA public TO <that user>;",
    error,
  );
}
