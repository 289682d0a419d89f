import { sqlitePath } from "../config/database-url.ts";
import type { ExclusiveDatabase } from "../db/sqlite/exclusive.ts";
import { type CopyProgress, copyTables } from "../move/copy-tables.ts";
import { errorText } from "../platform/errors.ts";
import { defineCommand, Refused, WrongUsage } from "./command.ts";
import {
  openSource,
  refuseFilled,
  refuseForeign,
  refuseOtherKey,
  refuseOtherUser,
  refuseUnmovable,
} from "./move-refusals.ts";
import { answer, record } from "./print.ts";
import { withDatabase } from "./with-database.ts";

export const move = defineCommand({
  name: "move",
  summary: "Move a SQLite database into an empty Postgres",
  options: {
    from: { type: "string", value: "file", help: "the SQLite file, of which no Ponte makes use any more" },
  },
  details: [
    "Stop Ponte, let DATABASE_URL name the Postgres, move, and start Ponte again. DATA_DIR stays what it was: there are",
    "the key of the tokens and the visits that are not in the database yet. All is copied in one transaction, or nothing;",
    "then the file is called <file>.moved. See docs/operations.md.",
  ].join(" "),
  examples: ["move --from data/ponte.db"],
  async run({ from }, _values, context) {
    if (from === undefined) throw new WrongUsage("give the SQLite file: --from data/ponte.db");
    const { terminal } = context;
    await withDatabase(context, async ({ db, config, secrets }) => {
      const path = sqlitePath(from);
      const aside = `${path}.moved`;
      refuseUnmovable(config, path, aside);
      const source = openSource(path);
      try {
        await refuseForeign(source, path);
        await db.migrate();
        await refuseFilled(db, source, path);
        await refuseOtherUser(db);
        source.migrate();
        await refuseOtherKey(source, secrets);
        const copied = await db
          .transaction((tx) =>
            copyTables(source, tx, db.tables, (step) => terminal.progress(progressText(step))),
          )
          .finally(() => terminal.progress(""));
        putAside(source, path, aside);
        answer(context, { moved: copied, kept_as: aside }, () => movedText(copied, aside));
      } finally {
        source.close();
      }
    });
  },
});

/** @throws Refused, which says that all is in Postgres */
function putAside(source: ExclusiveDatabase, path: string, aside: string): void {
  try {
    source.rename(aside);
  } catch (error) {
    throw new Refused(
      `All of ${path} is in this Postgres now, but the file could not be called ${aside}: ${errorText(error)}. Put it away, and start Ponte.`,
    );
  }
}

function progressText({ table, copied, total }: CopyProgress): string {
  return `${table}: ${copied} of ${total}`;
}

function movedText(copied: Readonly<Record<string, number>>, aside: string): string {
  const rows = Object.entries(copied).filter(([, n]) => n > 0);
  return [
    "Moved to Postgres:",
    record(rows),
    "",
    `The file is ${aside} now, and nothing reads it any more; it names people, so delete it when you are sure. Start Ponte.`,
  ].join("\n");
}
