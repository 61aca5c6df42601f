import { createRequire } from "node:module";

/** The SDK that a folder of npm's holds: Microsoft's, or Dapr's, which does not export as much. */
export function loadSdk(folder) {
  const require = createRequire(`${folder}/`);
  const sdk = require(folder);
  return sdk.whenAll === undefined
    ? {
        ...sdk,
        ...require(`${folder}/task`),
        ...require(`${folder}/orchestration/enum/orchestration-status.enum`),
        ...require(`${folder}/orchestration/orchestration-purge-criteria`),
      }
    : sdk;
}
