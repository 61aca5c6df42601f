/**
 * What others wrote, unchanged, with fanout: SDKs of four kinds as clients and workers on its emulator, each with each
 * other, its run on a worker in Python, and its commands on durabletask-go. A line for each check; docs/interop.md tells what they show.
 *
 *     npm run interop [-- Python Java JavaScript Dapr Go]
 */
import { LANGUAGES, type Language } from "#languages";
import { checkContract } from "#on-contract";
import { checkPairs, checkParts } from "#on-emulator";
import { buildSidecar, checkSidecar } from "#on-sidecar";
import { Tally } from "#tally";

const asked = process.argv.slice(2);
const tally = new Tally();

const languages: Language[] = [];
for (const language of LANGUAGES.filter(({ name }) => isAsked(name)))
  if (await isThere(language.name, language.prepare)) languages.push(language);

await checkPairs(languages, tally);
await checkParts(languages, tally);
if (languages.some(({ name }) => name === "Python")) await checkContract(tally);
if (isAsked("Go") && (await isThere("durabletask-go", buildSidecar))) await checkSidecar(tally);
console.log(tally.summary);
process.exitCode = tally.failed === 0 ? 0 : 1;

function isAsked(name: string): boolean {
  return asked.length === 0 || asked.some((word) => name.startsWith(word));
}

/** Whether it could be fetched and built; if not, that is told. */
async function isThere(name: string, prepare: () => Promise<void>): Promise<boolean> {
  try {
    await prepare();
    return true;
  } catch (error) {
    tally.add("skip", name, "all checks", error instanceof Error ? error.message : String(error));
    return false;
  }
}
