import { aborted } from "../async/aborted.js";
import { ExitCode } from "../exit-codes.js";
import { errorText } from "../format/error-text.js";
import type { LivePage } from "../http/live-page.js";
import { LiveHub } from "../live/live-hub.js";
import type { LivePhase } from "../live/live-update.js";
import type { RunFeed } from "../live/run-feed.js";
import type { RunResult } from "../result/run-result.js";
import { Interruption } from "./interruption.js";

/**
 * Serves the page while `act` runs, and with `keep` until Ctrl-C.
 * @throws UsageError if it cannot listen on the port
 */
export async function withRunPage(
  { port, keep }: { readonly port: number; readonly keep: boolean },
  say: (line: string) => void,
  act: (page: RunPage) => Promise<ExitCode>,
): Promise<ExitCode> {
  const page = await RunPage.open(port);
  say(`live: ${page.url}`);
  try {
    const code = await act(page);
    if (keep && !INTERRUPTED.has(code)) {
      say(`The report stays at ${page.url} until Ctrl-C.`);
      const interruption = new Interruption();
      await aborted(interruption.signal);
      interruption[Symbol.dispose]();
    }
    return code;
  } catch (error) {
    page.fail(errorText(error));
    throw error;
  } finally {
    await page.close();
  }
}

const INTERRUPTED: ReadonlySet<ExitCode> = new Set([ExitCode.Interrupted, ExitCode.Terminated, ExitCode.HungUp]);
const UPDATE_EVERY_MS = 1_000;

/**
 * The page of `fanout run --live`. It asks a run for its figures once a second while somebody looks, and not at all while nobody
 * does: whoever comes late gets everything from the start.
 */
export class RunPage {
  readonly #hub = new LiveHub();
  #page: LivePage | undefined;
  #feed: RunFeed | undefined;
  #phase: LivePhase = { kind: "waiting" };
  #report: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Aborts when the run that it shows is over. */
  #over = new AbortController();

  /** @throws UsageError if it cannot listen on the port */
  static async open(port: number): Promise<RunPage> {
    // Other runs do not load the server.
    const { startLivePage } = await import("../http/live-page.js");
    const page = new RunPage();
    page.#page = await startLivePage({
      port,
      hub: page.#hub,
      report: () => page.#report,
      refresh: () => page.#update(),
      onViewers: () => page.#watch(),
    });
    return page;
  }

  get url(): string {
    return this.#page?.url ?? "";
  }

  /** Shows a run that begins. */
  follow(feed: RunFeed, interruption: AbortSignal): void {
    this.#feed = feed;
    this.#over = new AbortController();
    this.#enter({ kind: "running" });
    const why = "It was interrupted, and ends what is in flight.";
    const { signal } = this.#over;
    interruption.addEventListener("abort", () => this.#enter({ kind: "ending", why }), { once: true, signal });
  }

  /** The run has its result. */
  ended(): void {
    this.#end({ kind: "ended" });
  }

  /** All runs are over. From now on the page is their report. */
  async finish([first, ...more]: readonly RunResult[]): Promise<void> {
    if (first === undefined) return;
    const [{ REPORT_FORMS }, { REPORT_PATH }] = await Promise.all([
      import("../report/report-forms.js"),
      import("../http/live-page.js"),
    ]);
    this.#report = await REPORT_FORMS.html.write([first, ...more]);
    this.#enter({ kind: "ended", report: REPORT_PATH });
  }

  fail(why: string): void {
    this.#end({ kind: "failed", why });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#page?.close();
  }

  #enter(phase: LivePhase): void {
    this.#phase = phase;
    if (this.#hub.viewers > 0) this.#update();
  }

  /** Also without a viewer: who comes later sees the figures as they were at the end. */
  #end(phase: LivePhase): void {
    this.#over.abort();
    this.#phase = phase;
    this.#update();
  }

  #watch(): void {
    if (this.#hub.viewers === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else {
      this.#timer ??= setInterval(() => this.#update(), UPDATE_EVERY_MS);
    }
  }

  #update(): void {
    if (this.#feed) this.#hub.publish(this.#feed.update(this.#phase));
  }
}
