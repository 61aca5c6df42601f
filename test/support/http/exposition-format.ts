/** One line of a scrape: a value and what it belongs to. */
export interface ScrapedSample {
  /** With its labels as written, such as `up{job="a"}`. */
  readonly series: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ScrapedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ScrapedSample[];
}

const HEAD =
  /^# HELP (?<name>[a-zA-Z_:][\w:]*) (?<help>.+)\n# TYPE \k<name> (?<type>counter|gauge|summary|histogram)(?:\n|$)/u;
const SAMPLE = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)$/u;
const LABELS = /^(?:[a-zA-Z_]\w*="(?:[^"\\]|\\["\\n])*"(?:,(?=.)|$))*$/u;
const LABEL = /(?<name>\w+)="(?<value>(?:[^"\\]|\\.)*)"/gu;

/**
 * Reads a scrape in the text format of Prometheus 0.0.4, stricter than Prometheus does: each family once, with its help
 * and its type, and only samples of its own, each once and a finite number.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function parseExposition(text: string): ReadonlyMap<string, ScrapedFamily> {
  if (!text.endsWith("\n")) throw new Error("Expected a line feed at the end of the scrape.");
  const families = new Map<string, ScrapedFamily>();
  for (const block of text.trimEnd().split("\n\n")) {
    const family = parseFamily(block);
    if (families.has(family.name)) throw new Error(`Expected ${family.name} once.`);
    families.set(family.name, family);
  }
  return families;
}

function parseFamily(block: string): ScrapedFamily {
  const head = HEAD.exec(block);
  const { name = "", help = "", type = "" } = head?.groups ?? {};
  if (head === null) throw new Error(`Expected HELP and TYPE of one name, found ${block}`);
  const lines = block.slice(head[0].length).split("\n");
  const samples = lines.filter((line) => line !== "").map(parseSample);
  if (new Set(samples.map(({ series }) => series)).size < samples.length)
    throw new Error(`Expected each once: ${block}`);
  for (const sample of samples) checkName(sample, name, type);
  if (type === "histogram") checkBuckets(samples, name);
  return { name, help, type, samples };
}

function parseSample(line: string): ScrapedSample {
  const { name, labels = "", value } = SAMPLE.exec(line)?.groups ?? {};
  if (name === undefined || value === undefined || !Number.isFinite(Number(value)) || !LABELS.test(labels))
    throw new Error(`Expected a name, labels and a finite number, found ${line}`);

  const pairs = Array.from(labels.matchAll(LABEL), ({ groups }) => [groups!["name"]!, unescaped(groups!["value"]!)]);
  return {
    series: line.slice(0, line.lastIndexOf(" ")),
    name,
    labels: Object.fromEntries(pairs) as Record<string, string>,
    value: Number(value),
  };
}

function unescaped(value: string): string {
  return value.replaceAll(/\\(.)/gu, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
}

function checkName({ series, name, labels, value }: ScrapedSample, family: string, type: string): void {
  const isQuantile = name === family && Number(labels["quantile"]) >= 0 && Number(labels["quantile"]) <= 1;
  const isPart = name === `${family}_sum` || name === `${family}_count`;
  const isBucket = name === `${family}_bucket` && (labels["le"] === "+Inf" || Number.isFinite(Number(labels["le"])));
  const isOfFamily =
    type === "summary" ? isQuantile || isPart : type === "histogram" ? isBucket || isPart : name === family;
  if (!isOfFamily || ("quantile" in labels && type !== "summary"))
    throw new Error(`Expected a sample of the ${type} ${family}, found ${series}`);

  if (type === "counter" && (!name.endsWith("_total") || value < 0))
    throw new Error(`Expected a counter's name to end with _total and its value not to be negative, found ${series}`);
}

/** Buckets are cumulative, and the last one has everything. */
function checkBuckets(samples: readonly ScrapedSample[], family: string): void {
  const seriesOf = ({ labels: { le: _le, ...labels } }: ScrapedSample): string => JSON.stringify(labels);
  for (const [series, parts] of Map.groupBy(samples, seriesOf)) {
    const buckets = parts.filter(({ name }) => name === `${family}_bucket`);
    const ordered = buckets.toSorted((a, b) => boundOf(a) - boundOf(b));
    const count = parts.find(({ name }) => name === `${family}_count`)?.value;
    if (ordered.some(({ value }, index) => value < (ordered[index - 1]?.value ?? 0)))
      throw new Error(`Expected cumulative buckets, found others: ${family} ${series}`);
    if (ordered.at(-1)?.labels["le"] !== "+Inf" || ordered.at(-1)?.value !== count)
      throw new Error(`Expected a bucket +Inf that equals the count: ${family} ${series}`);
  }
}

function boundOf({ labels }: ScrapedSample): number {
  return labels["le"] === "+Inf" ? Infinity : Number(labels["le"]);
}
