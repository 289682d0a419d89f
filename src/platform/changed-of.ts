/** Those of `columns` that would become different, as JSON tells it; undefined leaves a column alone. */
export function changedOf<Row extends object>(
  was: Row,
  columns: { readonly [Column in keyof Row]?: Row[Column] | undefined },
): Partial<Row> {
  const changed: Partial<Row> = {};
  for (const column in columns) {
    const value = columns[column];
    if (value !== undefined && JSON.stringify(value) !== JSON.stringify(was[column])) changed[column] = value;
  }
  return changed;
}
