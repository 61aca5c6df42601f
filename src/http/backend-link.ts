import type { Backend } from "../backend/backend.js";
import type { OrchestrationClient } from "../backend/orchestration-client.js";

/** A backend that is opened at its first use. After a failure the next use tries again. */
export class BackendLink {
  readonly #open: () => Promise<Backend>;
  #backend: Promise<Backend> | undefined;

  constructor(open: () => Promise<Backend>) {
    this.#open = open;
  }

  readonly open = (): Promise<Backend> => {
    this.#backend ??= this.#open().catch((error: unknown) => {
      this.#backend = undefined;
      throw error;
    });
    return this.#backend;
  };

  readonly client = async (): Promise<OrchestrationClient> => (await this.open()).client;

  async close(): Promise<void> {
    const backend = await this.#backend?.catch(() => undefined);
    backend?.close();
  }
}
