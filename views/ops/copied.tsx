/** @jsxImportSource @kitajs/html */
/** A text to take away, with a button that copies it; without scripts it is selected by hand. */
export function Copied(props: {
  readonly label: string;
  readonly id: string;
  readonly text: string;
}): JSX.Element {
  const { label, id, text } = props;
  return (
    <div class="copied">
      <span class="hint" id={`${id}-label`} safe>
        {label}
      </span>
      <div>
        <code id={id} safe>
          {text}
        </code>
        <button type="button" data-copy-from={id} aria-describedby={`${id}-label`}>
          Copy
        </button>
      </div>
    </div>
  );
}
