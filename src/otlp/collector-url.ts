import { UsageError } from "../errors.js";

/** The paths that OTLP over HTTP adds to the address of a collector. */
const SIGNAL_PATH = /\/v1\/(?:metrics|traces|logs)\/?$/u;

/**
 * The address of a collector without a slash at its end. Secrets do not belong into it: it is printed.
 * @throws UsageError if it is not one, or holds more than an address
 */
export function parseCollectorUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // What was found is not repeated: it may hold a secret.
  if (url === undefined || !["http:", "https:"].includes(url.protocol))
    throw new UsageError("invalid-value", "--otlp: expected an http or https URL such as http://localhost:4318");
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new UsageError("invalid-value", "--otlp: expected a URL without a user, a password, a query or a fragment", {
      hint: "give credentials as headers, in OTEL_EXPORTER_OTLP_HEADERS",
    });
  }
  if (SIGNAL_PATH.test(url.pathname)) {
    throw new UsageError("invalid-value", `--otlp: expected the address of the collector alone, found "${url.href}"`, {
      hint: "leave out the path of the signal; fanout adds /v1/metrics and /v1/traces",
    });
  }
  return url.href.replace(/\/$/u, "");
}
