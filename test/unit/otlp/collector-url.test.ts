import { expect, test } from "vitest";
import { parseCollectorUrl } from "../../../src/otlp/collector-url.js";

test.each([
  ["http://localhost:4318", "http://localhost:4318"],
  ["http://localhost:4318/", "http://localhost:4318"],
  ["https://collector.example/otlp/", "https://collector.example/otlp"],
])("%s is the address %s", (text, address) => {
  expect(parseCollectorUrl(text)).toBe(address);
});

test.each([
  ["localhost:4318", "--otlp: expected an http or https URL"],
  ["grpc://localhost:4317", "--otlp: expected an http or https URL"],
  ["http://localhost:4318/v1/metrics", "leave out the path of the signal"],
  ["https://user:of-the-test@host", "OTEL_EXPORTER_OTLP_HEADERS"],
  ["https://host/?key=of-the-test", "OTEL_EXPORTER_OTLP_HEADERS"],
])("%s is refused without what may be a secret", (text, message) => {
  expect(() => parseCollectorUrl(text)).toThrow(message);
  expect(() => parseCollectorUrl(text)).not.toThrow("of-the-test");
});
