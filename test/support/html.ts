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
