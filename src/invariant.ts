/** Memory contradicts what always holds: it may not be trusted any more, and its process has to end. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** @throws InvariantError that says what was to hold, if it does not */
export function invariant(holds: boolean, what: string): asserts holds {
  if (!holds) throw new InvariantError(what);
}
