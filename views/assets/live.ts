/** What somebody has in hand in the live part of a page, and keeps when it is renewed. */
interface Hold {
  readonly open: readonly string[];
  /** How far tables were scrolled sideways, by their name. */
  readonly scrolled: ReadonlyMap<string, number>;
  readonly focused: string | null;
}

/** Renews `[data-live]` parts without taking anything out of the operator's hands. */
export function keepHoldOfLiveParts(): void {
  let hold: Hold | null = null;
  document.addEventListener("htmx:beforeRequest", (event) => {
    // A page that nobody looks at asks for nothing.
    if (isLive(event.target) && document.hidden) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    for (const part of document.querySelectorAll("[data-live]")) part.dispatchEvent(new Event("seen"));
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isLive(event.target) || !(event instanceof CustomEvent)) return;
    if (isBusy(event.target)) event.detail.shouldSwap = false;
    else hold = holdOf(event.target);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (isLive(event.target) && hold) giveBack(event.target, hold);
    hold = null;
  });
}

function isLive(target: EventTarget | null): target is HTMLElement {
  return target instanceof HTMLElement && target.hasAttribute("data-live");
}

/** A question that is being asked, or words that are being copied, are not taken away: the next renewal will do. */
function isBusy(part: HTMLElement): boolean {
  if (part.querySelector("details.confirm[open]")) return true;
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && selection.containsNode(part, true);
}

function holdOf(part: HTMLElement): Hold {
  const open = [...part.querySelectorAll<HTMLDetailsElement>("details[id][open]")].map(({ id }) => id);
  const scrolled = new Map(
    tablesOf(part)
      .filter(({ scrollLeft }) => scrollLeft > 0)
      .map((table) => [nameOf(table), table.scrollLeft]),
  );
  const { activeElement } = document;
  const focused = activeElement && part.contains(activeElement) ? nameOf(activeElement) : null;
  return { open, scrolled, focused };
}

function giveBack(part: HTMLElement, { open, scrolled, focused }: Hold): void {
  for (const details of part.querySelectorAll<HTMLDetailsElement>("details[id]")) {
    if (open.includes(details.id)) details.open = true;
  }
  for (const table of tablesOf(part)) table.scrollLeft = scrolled.get(nameOf(table)) ?? 0;
  if (focused === null) return;
  const again = [...part.querySelectorAll<HTMLElement>("a,summary,.scroll")].find(
    (element) => nameOf(element) === focused,
  );
  again?.focus({ preventScroll: true });
}

function tablesOf(part: HTMLElement): HTMLElement[] {
  return [...part.querySelectorAll<HTMLElement>(".scroll")];
}

/** What stays the same about an element when its part is rendered anew. */
function nameOf(element: Element): string {
  const place = element.closest("details[id]")?.id ?? "";
  const table = element.closest(".scroll")?.getAttribute("aria-label") ?? "";
  const own = element.matches("a,summary") ? element.textContent?.trim() : "";
  return [place, table, element.tagName, own].join("\n");
}
