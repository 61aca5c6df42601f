/** The memory contradicts an invariant. It cannot be trusted, so the process must end. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** @throws InvariantError that names the violated invariant */
export function invariant(holds: boolean, what: string): asserts holds {
  if (!holds) throw new InvariantError(what);
}
