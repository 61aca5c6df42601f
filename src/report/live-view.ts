/** Shows how far a run is while it runs. */
export interface LiveView {
  start(): void;
  /** Prints a line for a person without disturbing the rest. */
  line(text: string): void;
  /** Leaves the terminal as it was. May be called more than once. */
  stop(): void;
}
