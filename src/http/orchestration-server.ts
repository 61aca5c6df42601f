import { listenError, portOf } from "./port.js";
import { orchestrationApi, type ApiOptions } from "./orchestration-api.js";

const CLOSE_PATIENCE_MS = 30_000;

export interface ServerOptions extends ApiOptions {
  /** 0 takes any free port. */
  readonly port: number;
}

export interface OrchestrationServer {
  /** For example `http://127.0.0.1:5000`. */
  readonly url: string;
  /**
   * Accepts no more requests and finishes those in progress. Resolves with true if some took more than 30 s and were
   * cut off. Never rejects.
   */
  close(): Promise<boolean>;
}

/** Serves the orchestration API. Rejects with a UsageError if it cannot listen on the port or the host. */
export async function startOrchestrationServer({ port, ...options }: ServerOptions): Promise<OrchestrationServer> {
  const { host } = options;
  const app = await orchestrationApi(options);
  try {
    await app.listen({ port, host });
  } catch (error) {
    await app.close();
    throw listenError(host, port, error);
  }
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${portOf(app.server.address())}`,
    async close() {
      let cutOff = false;
      const timer = setTimeout(() => {
        cutOff = true;
        app.server.closeAllConnections();
      }, CLOSE_PATIENCE_MS);
      await app.close();
      clearTimeout(timer);
      return cutOff;
    },
  };
}
