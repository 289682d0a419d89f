/** @jsxImportSource @kitajs/html */
import { exampleOf, type OpenapiDocument, type Operation, type Schemas } from "./openapi-document.ts";

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.55 system-ui, sans-serif }
  body { margin: 2rem auto 6rem; max-width: 56rem; padding: 0 1rem }
  h2 { margin-top: 3rem } h3 { margin: 2rem 0 .3rem; font-size: 1rem }
  code, pre { font: 13px/1.5 ui-monospace, monospace }
  pre { padding: .8rem 1rem; border-radius: .5rem; background: #8881; overflow-x: auto; max-height: 26rem }
  table { border-collapse: collapse } th, td { text-align: left; vertical-align: top; padding: .2rem 1.2rem .2rem 0; overflow-wrap: anywhere }
  nav ul { columns: 2 17rem; padding-left: 1.2rem } a { color: inherit } .method { display: inline-block; min-width: 3.6rem; font-weight: 600 }
`;

interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** The API's reference for people, out of its OpenAPI document; nothing in it comes from another host. */
export function ReferencePage({ document }: { document: OpenapiDocument }): JSX.Element {
  const { info, components } = document;
  const groups = routesByTag(document);
  return (
    <>
      {"<!doctype html>"}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title safe>{`${info.title} API`}</title>
          <style>{STYLE}</style>
        </head>
        <body>
          <h1 safe>{`${info.title} API`}</h1>
          <p>
            <Prose text={info.description ?? ""} />
          </p>
          <p>
            Version <span safe>{info.version}</span>. For programs:{" "}
            <a href="/openapi/json">OpenAPI document</a>.
          </p>
          <nav>
            <ul>
              {groups.flatMap(([, routes]) =>
                routes.map((route) => (
                  <li>
                    <a href={`#${anchor(route)}`} safe>
                      {route.operation.summary ?? route.path}
                    </a>
                  </li>
                )),
              )}
            </ul>
          </nav>
          {groups.map(([tag, routes]) => (
            <section>
              <h2 safe>{tag}</h2>
              {routes.map((route) => (
                <RouteReference route={route} schemas={components.schemas ?? {}} />
              ))}
            </section>
          ))}
        </body>
      </html>
    </>
  );
}

function RouteReference({ route, schemas }: { route: Route; schemas: Schemas }): JSX.Element {
  const { method, path, operation } = route;
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
  const parameters = operation.parameters ?? [];
  return (
    <article id={anchor(route)}>
      <h3 safe>{operation.summary ?? path}</h3>
      <p>
        <code>
          <span class="method" safe>
            {method.toUpperCase()}
          </span>
          <span safe>{path}</span>
        </code>
      </p>
      {operation.description ? (
        <p>
          <Prose text={operation.description} />
        </p>
      ) : null}
      {parameters.length > 0 ? (
        <table>
          {parameters.map((parameter) => (
            <tr>
              <th>
                <code safe>{parameter.name}</code>
              </th>
              <td>{parameter.required ? "required" : "optional"}</td>
              <td>
                <Prose text={parameter.schema.description ?? parameter.schema.enum?.join(", ") ?? ""} />
              </td>
            </tr>
          ))}
        </table>
      ) : null}
      {body ? (
        <pre>
          <code safe>{JSON.stringify(exampleOf(body, schemas), null, 2)}</code>
        </pre>
      ) : null}
      {Object.entries(operation.responses ?? {}).map(([status, response]) => {
        const schema = response.content?.["application/json"]?.schema;
        return schema ? (
          <details>
            <summary>
              <Prose text={`${status} ${response.description ?? ""}`} />
            </summary>
            <pre>
              <code safe>{JSON.stringify(exampleOf(schema, schemas), null, 2)}</code>
            </pre>
          </details>
        ) : (
          <div>
            <Prose text={`${status} ${response.description ?? ""}`} />
          </div>
        );
      })}
    </article>
  );
}

/** The document's texts are Markdown, of which ours use code alone. */
function Prose({ text }: { text: string }): JSX.Element {
  return (
    <>
      {text.split("`").map((part, i) => (i % 2 === 1 ? <code safe>{part}</code> : <span safe>{part}</span>))}
    </>
  );
}

function routesByTag({ paths }: OpenapiDocument): [tag: string, routes: Route[]][] {
  const groups = new Map<string, Route[]>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? "Others";
      groups.set(tag, [...(groups.get(tag) ?? []), { method, path, operation }]);
    }
  }
  return [...groups].sort(([a], [b]) => Number(a === "Others") - Number(b === "Others"));
}

function anchor({ method, path }: Route): string {
  return `${method}${path}`.replace(/[^a-z0-9]+/gi, "-");
}
