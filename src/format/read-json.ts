/**
 * Objects and arrays within each other. What walks a value calls itself for each of them and would run out of stack at
 * some thousands; nothing that fanout reads has ten, and .NET's own reader stops at 64.
 */
const DEEPEST = 100;

/** JSON that is nested too deeply. */
export class JsonDepthError extends SyntaxError {
  override readonly name = "JsonDepthError";
}

/**
 * Parses JSON that comes from outside: nested by at most 100 levels, so that any walk over the value ends.
 * @throws JsonDepthError, or SyntaxError
 */
export function readJson(text: string): unknown {
  if (depthOf(text) > DEEPEST)
    throw new JsonDepthError(`expected at most ${DEEPEST} objects and arrays within each other, found more`);

  return JSON.parse(text);
}

/** How deeply the text nests, which is right of all text that is JSON. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  // A string, to its end or to that of the text, or a bracket: what is in strings does not count.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[[\]{}]/gsu)) {
    if (token === "[" || token === "{") deepest = Math.max(deepest, (depth += 1));
    else if (token === "]" || token === "}") depth -= 1;
  }
  return deepest;
}
