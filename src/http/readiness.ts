import type { OrchestrationClient } from "../backend/orchestration-client.js";
import { Patience, unlessAborted } from "./patience.js";

const DEADLINE_MS = 2_000;
/** No instance has this id. Every backend can be asked for it, and the answer is small. */
const PROBE_ID = "fanout-readiness-probe";

/** Asks the backend whether it answers. All who ask at the same time share one call. */
export class Readiness {
  readonly #client: () => Promise<OrchestrationClient>;
  #check: Promise<void> | undefined;

  constructor(client: () => Promise<OrchestrationClient>) {
    this.#client = client;
  }

  /** Rejects if the backend does not answer, refuses, or takes more than 2 s. */
  check(): Promise<void> {
    this.#check ??= this.#probe().finally(() => {
      this.#check = undefined;
    });
    return this.#check;
  }

  async #probe(): Promise<void> {
    using patience = new Patience(DEADLINE_MS);
    const { signal } = patience;
    const call = async (): Promise<void> => {
      const client = await this.#client();
      await client.getInstance(PROBE_ID, { signal });
    };
    await unlessAborted(call(), signal);
  }
}
