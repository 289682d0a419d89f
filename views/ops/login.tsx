/** @jsxImportSource @kitajs/html */
import { type BareProps, bare } from "./bare.tsx";
import { Banner } from "./parts.tsx";

/** Why the last attempt did not work. */
export type LoginFault =
  | { readonly kind: "wrong" }
  | { readonly kind: "throttled"; readonly retryAfterSeconds: number }
  | { readonly kind: "busy" }
  | { readonly kind: "away" }
  | { readonly kind: "foreign" };

/** The console's first page for whoever is not logged in. */
export function loginPage(
  props: Omit<BareProps, "title"> & {
    /** The page to go to afterwards. */
    readonly next: string;
    readonly fault: LoginFault | null;
    /** The console's address over https, for a browser that speaks http and so would not stay logged in. */
    readonly goTo: string | null;
  },
): string {
  const { fault, next, goTo } = props;
  return bare({
    ...props,
    title: "Log in",
    children: (
      <>
        <h1>Log in to the console</h1>
        {goTo ? (
          <Banner tone="warn">
            Open{" "}
            <a href={goTo} safe>
              {goTo}
            </a>
            : over http nobody stays logged in.
          </Banner>
        ) : null}
        <LoginForm next={next} fault={fault} />
        <p class="hint" id="hint">
          The password is <code>OPERATOR_PASSWORD</code>, or the one that the server showed at its first
          start. If it is lost, set <code>OPERATOR_PASSWORD</code> and start Ponte anew.
        </p>
      </>
    ),
  });
}

function LoginForm(props: { readonly next: string; readonly fault: LoginFault | null }): JSX.Element {
  const { next, fault } = props;
  return (
    <form method="post" action="/ops/login" class="form">
      <input type="hidden" name="next" value={next} />
      {/* Password managers want a name to keep the password under. */}
      <input
        class="hidden"
        type="text"
        name="username"
        value="operator"
        autocomplete="username"
        tabindex="-1"
        aria-label="User name"
        readonly
      />
      <div class={fault ? "field wrong" : "field"}>
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
          autofocus
          aria-invalid={fault ? "true" : undefined}
          aria-describedby={fault ? "fault hint" : "hint"}
        />
        {fault ? (
          <p class="error" id="fault" role="alert" safe>
            {faultText(fault)}
          </p>
        ) : null}
      </div>
      <button type="submit" class="primary wide">
        Log in
      </button>
    </form>
  );
}

function faultText(fault: LoginFault): string {
  switch (fault.kind) {
    case "wrong":
      return "That is not the password.";
    case "throttled":
      return `Too many attempts. Try again in ${Math.ceil(fault.retryAfterSeconds / 60)} min.`;
    case "busy":
      return "Too many people are logging in at this moment. Try again.";
    case "away":
      return "The database cannot be used at this moment, so nobody can log in. Visitors are served all the same.";
    case "foreign":
      return "That form did not come from this page. Try again here.";
  }
}
