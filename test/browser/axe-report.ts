/**
 * `bun test/browser/axe-report.ts`: what axe-core finds on the console's pages in every look, as the table of
 * docs/console.md; over the traffic that the browser tests have.
 */
import axe from "axe-core";
import type { Page } from "playwright-core";
import { launchChromium } from "./chromium.ts";
import {
  FURTHER_PAGES,
  LOOKS,
  MAIN_PAGES,
  openConsole,
  openLogin,
  startConsole,
  violations,
} from "./console-page.ts";

const IMPACTS = ["critical", "serious", "moderate", "minor"] as const;

const browser = await launchChromium();
const own = await startConsole();
const { sessions } = own.db.tables;
const [visit] = await own.db.select({ token: sessions.trackingToken }).from(sessions).limit(1);
/** By page, one cell a look: how many violations of each impact. */
const cells = new Map<string, string[]>();
const found = new Map<string, string>();
try {
  for (const { options } of LOOKS) {
    const login = await openLogin(browser, own.url, options);
    await look("/ops/login", login.page);
    await login.context.close();
    const { context, page } = await openConsole(browser, own.url, options);
    for (const path of [...MAIN_PAGES, ...FURTHER_PAGES, `/ops/visitors/${visit?.token}`]) {
      const answer = await page.goto(own.url + path);
      if (answer?.status() !== 200) throw new Error(`${path} was answered with ${answer?.status()}`);
      await look(path.replace(/[0-9a-f]{32}/, ":token").replaceAll(/\/\d+/g, "/:id"), page);
    }
    await context.close();
  }
} finally {
  await browser.close();
  await own.stop();
}

const rows = [...cells].map(([path, counts]) => [`\`${path}\``, ...counts]);
for (const cellsOfRow of [
  ["page", ...LOOKS.map(({ name }) => name)],
  ["-", ...LOOKS.map(() => "-")],
  ...rows,
])
  console.log(`| ${cellsOfRow.join(" | ")} |`);
console.log(`\naxe-core ${axe.version}; critical / serious / moderate / minor`);
for (const [rule, help] of found) console.log(`${rule}: ${help}`);

/** Writes down what axe says of the page as it is. */
async function look(name: string, page: Page): Promise<void> {
  const all = await violations(page);
  for (const { id, help, impact } of all) found.set(`${impact} ${id}`, help);
  const counts = IMPACTS.map((wanted) => all.filter(({ impact }) => impact === wanted).length);
  cells.set(name, [...(cells.get(name) ?? []), counts.join(" / ")]);
}
