/** A part of a run, in milliseconds from its start. */
export interface Span {
  readonly fromMs: number;
  readonly lengthMs: number;
  /** It had not ended when its watcher did. */
  readonly open?: boolean;
}

/** A time that says neither that the run went on nor that it did not. */
export interface NeutralTime {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What one shard saw, in the order of time. Spans do not overlap. */
export interface Watched<T extends Span> {
  readonly spans: readonly T[];
  readonly neutral: readonly NeutralTime[];
}

/** A time that all shards have in common, in the steps between which shards began or ended theirs. */
export interface CommonSpan<T extends Span> extends Span {
  readonly steps: readonly { readonly lengthMs: number; readonly of: readonly T[] }[];
}

interface Piece<T> extends NeutralTime {
  readonly shard: number;
  /** Undefined in a neutral time. */
  readonly span: T | undefined;
}

/**
 * The times in which each shard is within a span or a neutral time, and at least one is within a span. A span that ends ends
 * the common one. A neutral time that goes over into a span does not, nor does a span that was open when its shard ended.
 */
export function commonSpans<T extends Span>(shards: readonly Watched<T>[]): readonly CommonSpan<T>[] {
  const pieces = shards.flatMap((watched, shard) => piecesOf(shard, watched));
  const begun = Map.groupBy(pieces, ({ fromMs }) => fromMs);
  const ended = Map.groupBy(pieces, ({ toMs }) => toMs);
  const times = [...new Set([...begun.keys(), ...ended.keys()])].toSorted((a, b) => a - b);
  const active = new Map<number, Piece<T>>();
  const found: CommonSpan<T>[] = [];
  let common: { readonly fromMs: number; stepMs: number; steps: CommonSpan<T>["steps"] } | undefined;
  for (const atMs of times) {
    const spans = spansOf(active);
    if (common) {
      common.steps = [...common.steps, { lengthMs: atMs - common.stepMs, of: spans }];
      common.stepMs = atMs;
    }
    const ending = ended.get(atMs) ?? [];
    for (const piece of ending) if (active.get(piece.shard) === piece) active.delete(piece.shard);
    for (const piece of begun.get(atMs) ?? []) active.set(piece.shard, piece);
    const isCommon = active.size === shards.length && spansOf(active).length > 0;
    if (common && (!isCommon || ending.some(({ span }) => span && !span.open))) {
      const { fromMs, steps } = common;
      const isOpen = spans.every(({ open }) => open);
      found.push({ fromMs, lengthMs: atMs - fromMs, steps, ...(isOpen && { open: true }) });
      common = undefined;
    }
    if (isCommon) common ??= { fromMs: atMs, stepMs: atMs, steps: [] };
  }
  return found;
}

function spansOf<T>(active: ReadonlyMap<number, Piece<T>>): readonly T[] {
  return [...active.values()].toSorted((a, b) => a.shard - b.shard).flatMap(({ span }) => span ?? []);
}

/** The spans of a shard, and its neutral times outside of them. */
function piecesOf<T extends Span>(shard: number, { spans, neutral }: Watched<T>): readonly Piece<T>[] {
  const taken = spans.map((span) => ({ shard, span, fromMs: span.fromMs, toMs: span.fromMs + span.lengthMs }));
  const rest = neutral.flatMap(({ fromMs, toMs }) => {
    const gaps: Piece<T>[] = [];
    let sinceMs = fromMs;
    for (const span of taken) {
      if (span.toMs <= sinceMs || span.fromMs >= toMs) continue;
      if (span.fromMs > sinceMs) gaps.push({ shard, span: undefined, fromMs: sinceMs, toMs: span.fromMs });
      sinceMs = span.toMs;
    }
    if (sinceMs < toMs) gaps.push({ shard, span: undefined, fromMs: sinceMs, toMs });
    return gaps;
  });
  return [...taken, ...rest].filter((piece) => piece.toMs > piece.fromMs);
}
