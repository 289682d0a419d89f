/** @jsxImportSource @kitajs/html */
import { TextField } from "./fields.tsx";
import { PostForm } from "./form.tsx";
import { Banner, Card } from "./parts.tsx";
import type { PixelTrial } from "./pool-data.ts";

/** Whether Meta takes what the pool sends: its credential, and one event for the test view. */
export function PoolPixel(props: {
  /** The pool's own address. */
  readonly path: string;
  readonly csrfToken: string;
  readonly testCode: string;
  readonly codeError: string | undefined;
  /** What was just tried. */
  readonly trial: PixelTrial | null;
}): JSX.Element {
  const { path, csrfToken, testCode, codeError, trial } = props;
  return (
    <Card title="Try the pixel" lead="Asks Meta at once, with the settings as they are saved." id="pixel">
      {trial === null ? null : <Trial trial={trial} />}
      <PostForm action={`${path}/check-pixel#pixel`} csrfToken={csrfToken}>
        <div>
          <button type="submit">Check pixel and token</button>
        </div>
      </PostForm>
      <PostForm action={`${path}/test-event#pixel`} csrfToken={csrfToken}>
        <TextField
          label="Code of the test"
          name="test_event_code"
          value={testCode}
          placeholder="TEST12345"
          hint="Events Manager shows it under Test events. It is used for this one PageView and need not be saved. Meta counts the event like any other."
          error={codeError}
        />
        <div>
          <button type="submit">Send a test event</button>
        </div>
      </PostForm>
    </Card>
  );
}

function Trial({ trial: { tone, title, text, raw } }: { readonly trial: PixelTrial }): JSX.Element {
  return (
    <>
      <Banner tone={tone} title={title} announced>
        <span safe>{text}</span>
      </Banner>
      {raw.map((piece) => (
        <div class="field">
          <h3 safe>{piece.label}</h3>
          <pre safe>{piece.text}</pre>
        </div>
      ))}
    </>
  );
}
