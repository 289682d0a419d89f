import { defineCommand } from "./command.ts";
import { withDatabase } from "./open.ts";
import { answer } from "./print.ts";

export const migrate = defineCommand({
  name: "migrate",
  summary: "Make the database's tables and views, or bring them up to date",
  options: {},
  details:
    "Safe to repeat. Where the app's database user may not make tables, run it once with a URL that may, or use\nscripts/create_meta_tracking_sessions.sh and scripts/grant_meta_tracking_sessions.sh.",
  async run(_given, _values, context) {
    await withDatabase(
      context,
      async ({ db }) => {
        await db.migrate();
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
