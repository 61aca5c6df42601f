/** The unit of a number. It decides how the axis and the legend write it. */
export type Unit = "milliseconds" | "perSecond" | "count";

/** One set of axes, as the browser draws it. The page's script gets it as JSON. */
export interface Panel {
  /** The id of its element. */
  readonly id: string;
  readonly height: keyof typeof HEIGHTS_PX;
  readonly x: TimeAxis | PercentileAxis | NumberAxis | LevelAxis;
  readonly y: { readonly unit: Unit; readonly logarithmic: boolean };
  /** Ascending. */
  readonly xs: readonly number[];
  readonly lines: readonly Line[];
  readonly bands: readonly Band[];
  readonly borders: readonly Border[];
}

/** Seconds from the start of the run. */
interface TimeAxis {
  readonly kind: "time";
  readonly from: number;
  readonly to: number;
}

/** Percentile p is at log10(1 / (1 - p / 100)). */
interface PercentileAxis {
  readonly kind: "percentile";
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

/** Whole numbers that count something: iterations from 0, runs from 1. */
interface NumberAxis {
  readonly kind: "number";
  readonly from: number;
  readonly to: number;
}

/** The level of a probe: a rate, or a number in flight. */
interface LevelAxis {
  readonly kind: "level";
  readonly from: number;
  readonly to: number;
  readonly unit: "perSecond" | "count";
}

export interface Line {
  readonly name: string;
  readonly stroke: Stroke;
  /** One for each of `xs`; null if there is none. */
  readonly values: readonly (number | null)[];
  /** The indexes of values that also have a dot. */
  readonly dots?: readonly number[];
}

/** From x to x, over the whole height. */
interface Band {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  /** Used if there is no room for the text. */
  readonly short: string;
}

/** A vertical line, and the name of what begins there. */
interface Border {
  readonly at: number;
  readonly text: string;
}

export const HEIGHTS_PX = { tall: 260, low: 170 } as const;

/** The height of a row of names above a plot. Bands and borders have one each. */
export const NAME_ROW_PX = 18;

/** Strokes differ in both colour and pattern. */
export type Stroke = keyof typeof STROKES;

/** `colour` is a custom property of the page's style. Lengths are CSS pixels. */
export const STROKES = {
  solid: { colour: "--solid", width: 2, dash: [] },
  dashed: { colour: "--dashed", width: 2, dash: [7, 4] },
  dotted: { colour: "--dotted", width: 2, dash: [2, 3] },
  broad: { colour: "--broad", width: 6, dash: [] },
} as const;
