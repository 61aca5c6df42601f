/** Characters that JSON does not have to escape and that a terminal would obey: DEL, C1 controls, changes of direction. */
const OBEYED = /[\u007F-\u009F\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/** JSON text whose strings are the same to a parser, and do nothing on a terminal. */
export function inertJson(json: string): string {
  return json.replaceAll(OBEYED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
