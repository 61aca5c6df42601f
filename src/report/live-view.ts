/** Shows the progress of a run. */
export interface LiveView {
  start(): void;
  /** Prints a line for a person without disturbing the view. */
  line(text: string): void;
  /** Restores the terminal. May be called more than once. */
  stop(): void;
}
