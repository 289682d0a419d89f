/** What is wrong with a form that was sent, by the name of the field; the key "" is for what belongs to none. */
export type FieldErrors = Readonly<Record<string, string>>;
