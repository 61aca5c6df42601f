/** Text that came from a backend, on one line and with nothing in it that a terminal would obey. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/\s+/gu, " ")
    .replaceAll(/\p{Cc}/gu, "")
    .trim();
}
