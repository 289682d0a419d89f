import { type Variable, variables } from "../config/variables.ts";
import { editDistance } from "./nearest.ts";

/** A variable that is no setting of Ponte's, and the setting that was probably meant. */
interface Misspelt {
  readonly name: string;
  readonly meant: Variable;
}

/** What Kubernetes tells of a service that is called `ponte`, as in `PONTE_PORT=tcp://10.0.0.1:80`. */
const OF_A_SERVICE = /^(tcp|udp|sctp):\/\//;
/** A name with so many letters for each wrong one is a misspelt one; a shorter one, as `HOME` beside `HOST`, is its own. */
const LETTERS_PER_MISTAKE = 7;
const MOST_MISTAKES = 2;
/** Other programs' own names for things of theirs. */
const OF_OTHERS: ReadonlySet<string> = new Set(["API_SECRET", "APP_KEY"]);

/** The variables that are probably misspelt settings. What is set already under its right name was not meant. */
export function misspelt(environment: Readonly<Record<string, string | undefined>>): Misspelt[] {
  const settings = variables.keyof().options;
  const unset = settings.filter((setting) => !environment[setting]);
  return Object.entries(environment).flatMap(([name, value = ""]) => {
    if (value === "" || OF_A_SERVICE.test(value) || OF_OTHERS.has(name)) return [];
    if (settings.some((setting) => setting === name)) return [];
    const meant = unset.find((setting) => isLike(name.toUpperCase(), setting));
    return meant === undefined ? [] : [{ name, meant }];
  });
}

/** A question for each variable that is probably misspelt. */
export function misspeltLines(environment: Readonly<Record<string, string | undefined>>): string[] {
  return misspelt(environment).map(
    ({ name, meant }) => `${name} is no setting of Ponte's. Did you mean ${meant}?`,
  );
}

function isLike(name: string, setting: Variable): boolean {
  if (name === `PONTE_${setting}`) return true;
  const most = Math.min(MOST_MISTAKES, Math.floor(setting.length / LETTERS_PER_MISTAKE));
  const [one, other] = [singular(name), singular(setting)];
  return Math.abs(one.length - other.length) <= most && editDistance(one, other) <= most;
}

/** Without the ending by which one is told from many: `PROXY` is too far from `PROXIES` letter by letter. */
function singular(name: string): string {
  return name.replace(/(Y|IES|S)$/, "");
}
