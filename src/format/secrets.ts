/** A JSON Web Token, whole or cut: all begin with `{"`, in base64url. */
const TOKEN = /(?<![A-Za-z])eyJ[\w-]+(?:\.[\w-]*)*/gu;
const KEY = /\b((?:account|shared\s?access)key)\s*=\s*[^\s;,"']+/giu;

/** Some servers repeat what was sent to them: foreign text without tokens and account keys. */
export function withoutSecrets(text: string): string {
  return text.replaceAll(TOKEN, "***").replaceAll(KEY, "$1=***");
}
