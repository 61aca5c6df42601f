/** The open pages of a run: each reads the events of the run, and remembers when they came. */
export class Viewers {
  readonly #leaving = new AbortController();
  readonly #times: number[][] = [];
  #lost = 0;

  readonly url: string;
  readonly count: number;

  constructor(url: string, count: number) {
    this.url = url;
    this.count = count;
  }

  /** Resolves when each has an event. */
  async come(): Promise<void> {
    await Promise.all(Array.from({ length: this.count }, () => this.#one()));
  }

  leave(): void {
    this.#leaving.abort();
  }

  /** What they have seen since this was asked last. */
  seen(): string {
    const counts = this.#times.map((times) => times.length);
    const pauses = this.#times.flatMap((times) => times.slice(1).map((time, index) => time - times[index]!));
    for (const times of this.#times) times.splice(0, times.length - 1);
    const longest = Math.round(Math.max(0, ...pauses));
    return (
      `${this.count} viewers had ${Math.min(...counts)} to ${Math.max(...counts)} updates each, ` +
      `${longest} ms apart at most; ${this.#lost} connections lost`
    );
  }

  #one(): Promise<void> {
    const times: number[] = [];
    this.#times.push(times);
    const first = Promise.withResolvers<void>();
    this.#read(() => {
      times.push(performance.now());
      first.resolve();
    }).then(first.reject, (error: unknown) => {
      if (!this.#leaving.signal.aborted) this.#lost += 1;
      first.reject(error);
    });
    return first.promise;
  }

  /** Resolves when the server ends the events. */
  async #read(onUpdate: () => void): Promise<void> {
    const { body } = await fetch(this.url, { signal: this.#leaving.signal });
    let text = "";
    for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
      const events = (text + chunk).split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) if (event.includes("event: update")) onUpdate();
    }
    this.#lost += 1;
  }
}
