/** A piece of a list, and where it stands among the others. */
export interface Piece<T> {
  readonly lines: readonly T[];
  /** Where the next one begins; null where this is the last. */
  readonly next: string | null;
  readonly isFirst: boolean;
}
