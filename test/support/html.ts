/** The fields of a form in a page; a list is a field that comes more than once. */
export type FormValues = Record<string, string | readonly string[]>;

/** What a browser would send, were the form with that action submitted as it stands in the page. */
export function formIn(html: string, action: string): FormValues {
  const fields: Record<string, string[]> = {};
  const add = (name: string | null | undefined, value: string | null) => {
    if (name) fields[name] = [...(fields[name] ?? []), decoded(value ?? "")];
  };
  const form = `form[action="${action}"]`;
  let select: string | null = null;
  let textArea: string | null = null;
  let text = "";
  new HTMLRewriter()
    .on(`${form} input`, {
      element(input) {
        const isBox = input.getAttribute("type") === "checkbox";
        if (!isBox || input.hasAttribute("checked"))
          add(input.getAttribute("name"), input.getAttribute("value"));
      },
    })
    .on(`${form} select`, {
      element(element) {
        select = element.getAttribute("name");
      },
    })
    .on(`${form} option`, {
      element(option) {
        if (option.hasAttribute("selected")) add(select, option.getAttribute("value"));
      },
    })
    .on(`${form} textarea`, {
      element(element) {
        textArea = element.getAttribute("name");
        text = "";
        element.onEndTag(() => add(textArea, text));
      },
      text(chunk) {
        text += chunk.text;
      },
    })
    .transform(html);
  return fields;
}

/** A form as it stands in a page; `names` are of all its fields, those too that would not be sent. */
export interface FoundForm {
  readonly action: string;
  readonly method: string;
  readonly names: readonly string[];
}

/** Every form of the page. */
export function formsIn(html: string): FoundForm[] {
  const forms: { action: string; method: string; names: string[] }[] = [];
  new HTMLRewriter()
    .on("form", {
      element(form) {
        const action = decoded(form.getAttribute("action") ?? "");
        forms.push({ action, method: form.getAttribute("method") ?? "get", names: [] });
      },
    })
    .on("form input, form select, form textarea, form button", {
      element(field) {
        const name = field.getAttribute("name");
        const names = forms.at(-1)?.names;
        if (name && !names?.includes(name)) names?.push(name);
      },
    })
    .transform(html);
  return forms;
}

/** Where the page leads to or asks by itself, forms that only ask with their fields in the address. */
export function addressesIn(html: string): string[] {
  const addresses: string[] = [];
  new HTMLRewriter()
    .on("a, [hx-get]", {
      element(element) {
        for (const name of ["href", "hx-get"]) {
          const address = element.getAttribute(name);
          if (address) addresses.push(decoded(address));
        }
      },
    })
    .transform(html);
  const asking = formsIn(html).filter(({ method }) => method === "get");
  return [
    ...addresses,
    ...asking.map(
      ({ action, names }) => `${action.replace(/#.*/, "")}?${names.map((name) => `${name}=`).join("&")}`,
    ),
  ];
}

/** Markup in the page that is none of ours: scripts in it, handlers, addresses that run, and elements called `pwn-*`. */
export function injectionsIn(html: string): string[] {
  const found = [...inlineScripts(html)];
  new HTMLRewriter()
    .on("*", {
      element({ tagName, attributes }) {
        if (tagName.startsWith("pwn-") || tagName === "img") found.push(`<${tagName}>`);
        for (const [name, value] of attributes) {
          const isRun = /^(?:href|src|action|formaction|hx-get)$/.test(name) && /^\s*\w*script:/i.test(value);
          if (name.startsWith("on") || isRun) found.push(`<${tagName} ${name}="${value}">`);
        }
      },
    })
    .transform(html);
  return found;
}

/** The text of every script that stands in the page itself; ours all come from files. */
export function inlineScripts(html: string): string[] {
  const scripts: string[] = [];
  new HTMLRewriter()
    .on("script:not([src])", {
      text(chunk) {
        if (chunk.text !== "") scripts.push(chunk.text);
      },
    })
    .transform(html);
  return scripts;
}

/** The message at each field, by the field's name. */
export function errorsIn(html: string): Record<string, string> {
  const found = [...html.matchAll(/<p class="error" id="f-([\w.-]+)-error">([^<]*)<\/p>/g)];
  return Object.fromEntries(found.map(([, name = "", words = ""]) => [name, decoded(words)]));
}

function decoded(text: string): string {
  return text
    .replaceAll(/&quot;|&#34;/g, '"')
    .replaceAll(/&#39;|&#x27;/g, "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
