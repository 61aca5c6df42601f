/**
 * The deepest nesting of objects and arrays. A recursive walk runs out of stack at some thousands. Nothing that fanout
 * reads has ten levels, and .NET's own reader stops at 64.
 */
const DEEPEST = 100;

/** JSON that is nested too deeply. */
export class JsonDepthError extends SyntaxError {
  override readonly name = "JsonDepthError";
}

/**
 * Parses foreign JSON of at most 100 levels, so that a recursive walk over it ends.
 * @throws JsonDepthError, or SyntaxError
 */
export function readJson(text: string): unknown {
  if (depthOf(text) > DEEPEST)
    throw new JsonDepthError(`expected at most ${DEEPEST} objects and arrays within each other, found more`);

  return JSON.parse(text);
}

/** The nesting depth of the text. It is correct for all valid JSON. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  // A string, to its end or to the end of the text, or a bracket. Brackets in strings do not count.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[[\]{}]/gsu)) {
    if (token === "[" || token === "{") deepest = Math.max(deepest, (depth += 1));
    else if (token === "]" || token === "}") depth -= 1;
  }
  return deepest;
}
