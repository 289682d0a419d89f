import { keepHoldOfLiveParts } from "./live.ts";

/**
 * What the console's pages do in the browser besides htmx: small comforts, none of them needed. Without scripts every
 * page reads and every form works.
 */
document.documentElement.classList.add("js");

const ready = (work: () => void) =>
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", work) : work();

ready(() => {
  showWhereOneIs();
  offerOwnZone();
  keepHoldOfLiveParts();
  const lost = document.getElementById("lost");
  const showLost = (isLost: boolean) => {
    if (lost) lost.hidden = !isLost;
  };
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, () => showLost(true));
  }
  document.addEventListener("htmx:afterOnLoad", () => showLost(false));
});

/** On a narrow screen the navigation scrolls. `scrollIntoView` would have Tab begin there, past "Skip to content". */
function showWhereOneIs(): void {
  const nav = document.querySelector(".side nav");
  const here = nav?.querySelector("[aria-current]");
  if (nav && here) nav.scrollLeft += here.getBoundingClientRect().right - nav.getBoundingClientRect().right;
}

/** `data-submits`: choosing sends the form. */
document.addEventListener("change", ({ target }) => {
  if (target instanceof HTMLSelectElement && target.hasAttribute("data-submits"))
    target.form?.requestSubmit();
  // `data-checks-all="<name>"`: ticks every box of that name in the same form.
  const name = target instanceof HTMLInputElement && target.dataset.checksAll;
  if (name) for (const box of boxes(target, name)) box.checked = target.checked;
});

function boxes(input: HTMLInputElement, name: string): HTMLInputElement[] {
  const found = (input.form ?? document).querySelectorAll(`input[type=checkbox][name="${CSS.escape(name)}"]`);
  return [...found].filter((box) => box instanceof HTMLInputElement);
}

/** `data-copy-from="<id>"` on a button copies the text of that element. */
document.addEventListener("click", async ({ target }) => {
  const button = target instanceof Element ? target.closest<HTMLElement>("[data-copy-from]") : null;
  if (!button) return;
  const text = document.getElementById(button.dataset.copyFrom ?? "")?.textContent ?? "";
  // Once: pressed again meanwhile, it says something else.
  button.dataset.label ??= button.textContent ?? "";
  const copied = await navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  );
  button.textContent = copied ? "Copied" : "Select and copy it by hand";
  setTimeout(() => {
    button.textContent = button.dataset.label ?? "";
  }, 2_000);
});

/** Opened menus close when something else is clicked, or by Escape. */
document.addEventListener("click", ({ target }) => closeMenus(target instanceof Node ? target : null));
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") closeMenus(null);
});

function closeMenus(except: Node | null): void {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}

/** Adds the browser's own time zone to the choice. */
function offerOwnZone(): void {
  const select = document.querySelector<HTMLSelectElement>("select[data-browser-zone]");
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!select || !own || [...select.options].some(({ value }) => value === own)) return;
  select.add(new Option(`${own.replaceAll("_", " ")} (this device)`, own));
}
