import { expect, test } from "vitest";
import { withoutSecrets } from "../../../src/format/secrets.js";

const TOKEN = "eyJhbGciOiJub25lIn0.eyJzZWNyZXQiOjF9.c2lnbmF0dXJl";

test.each([
  [`unknown header "Bearer ${TOKEN}", sorry`, 'unknown header "Bearer ***", sorry'],
  [`authorization=Bearer%20${TOKEN}&x`, "authorization=Bearer%20***&x"],
  [`cut: ${TOKEN.slice(0, 30)}`, "cut: ***"],
  ["AccountName=one;AccountKey=c2VjcmV0+/==;TaskHub=x", "AccountName=one;AccountKey=***;TaskHub=x"],
  ["SharedAccessKey = c2VjcmV0", "SharedAccessKey=***"],
  ["the monkeyJoe.is here, and the AccountKey is not", "the monkeyJoe.is here, and the AccountKey is not"],
])("%s", (text, told) => {
  expect(withoutSecrets(text)).toBe(told);
});
