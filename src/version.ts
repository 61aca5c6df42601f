import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Of this package. */
export const FANOUT_VERSION = versionOf("#package.json");

/** Of the Durable Task SDK, as the user agent of every call names it. */
export const SDK_VERSION = versionOf("@microsoft/durabletask-js/package.json");

function versionOf(packageFile: string): string {
  return (require(packageFile) as { version: string }).version;
}
