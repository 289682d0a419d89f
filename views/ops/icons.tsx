/** @jsxImportSource @kitajs/html */
const PATHS = {
  bridge: "M2 9c4.5 0 6-4 10-4s5.5 4 10 4M2 15h20M6 8.5V19M18 8.5V19M12 5v10",
  overview: "M4 19V11M10 19V5M16 19v-6M22 19H2",
  outbox: "M3 12h5l2 3h4l2-3h5M3 12l3-7h12l3 7v7H3zM12 3v7",
  visitors: "M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c.6-4 4-6.5 8-6.5s7.400 2.5 8 6.5",
  pools: "M4 6h16M4 12h16M4 18h16M8 4v4M15 10v4M10 16v4",
  bots: "M5 9h14v10H5zM12 9V5M12 4h.01M9 13v2M15 13v2M2 13v3M22 13v3",
  keys: "M8 15a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 11h10M18 11v4M22 11v3",
  audit: "M6 3h9l4 4v14H6zM14 3v5h5M9 13h7M9 17h5",
} as const;

export type IconName = keyof typeof PATHS;

/** A line drawing in the text's colour; it says nothing that the text beside it does not. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }): JSX.Element {
  return (
    <svg
      class="icon"
      width={String(size)}
      height={String(size)}
      viewBox="0 0 24 24"
      fill="none"
      aria-hidden="true"
    >
      <path
        d={PATHS[name]}
        stroke="currentColor"
        stroke-width="1.8"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
