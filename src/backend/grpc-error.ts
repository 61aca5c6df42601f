import { constants } from "node:http2";
import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { withoutSecrets } from "../format/secrets.js";
import { oneLine, toldText } from "../format/one-line.js";

/** The words of grpc-js. */
const HTTP_STATUS = "Received HTTP status code";

/** An error of a call, in the shape of grpc-js. Its `details` are cleaned for a person, and hold no secret. */
export function grpcError(code: status, details: string, metadata = new Metadata()): ServiceError {
  const told = toldText(withoutSecrets(oneLine(details)));
  const error = new Error(`${code} ${status[code] ?? "unnamed"}: ${told}`);
  return Object.assign(error, { code, details: told, metadata });
}

/** An error of grpc-js in the form of `grpcError`: grpc-js keeps the details as the backend sent them. */
export function toldError({ code, details, metadata }: ServiceError, headers?: Metadata): ServiceError {
  // grpc-js takes the bytes of any answer for a message.
  const [contentType] = headers?.get("content-type") ?? [];
  if (contentType === undefined || details.startsWith(HTTP_STATUS)) return grpcError(code, details, metadata);
  return errorOfContentType(String(contentType)) ?? grpcError(code, details, metadata);
}

/** The error of an answer whose content type is not gRPC; undefined if it is gRPC. */
export function errorOfContentType(contentType: string | undefined): ServiceError | undefined {
  if (contentType?.startsWith("application/grpc") === true) return undefined;
  return grpcError(status.UNKNOWN, `Received content type ${contentType ?? "none"}`);
}

/** Whether gRPC has this code. */
export function isStatus(code: number): code is status {
  return code in status;
}

/**
 * The error of an answer without a gRPC status:
 * https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
 */
export function errorOfHttpStatus(httpStatus: number, metadata?: Metadata): ServiceError {
  const code = CODES_OF_HTTP_STATUS[httpStatus] ?? status.UNKNOWN;
  return grpcError(code, `${HTTP_STATUS} ${httpStatus}`, metadata);
}

const CODES_OF_HTTP_STATUS: Readonly<Record<number, status>> = {
  400: status.INTERNAL,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.UNIMPLEMENTED,
  429: status.UNAVAILABLE,
  502: status.UNAVAILABLE,
  503: status.UNAVAILABLE,
  504: status.UNAVAILABLE,
};

/**
 * The error of a stream that ended without a gRPC status, by the code of its RST_STREAM (NO_ERROR if there was none):
 * "Errors" in https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export function errorOfReset(http2Code: number): ServiceError {
  const [code, details] = ERRORS_OF_RESET[http2Code] ?? [status.INTERNAL, `Received RST_STREAM with code ${http2Code}`];
  return grpcError(code, details);
}

const ERRORS_OF_RESET: Readonly<Record<number, readonly [status, string]>> = {
  [constants.NGHTTP2_NO_ERROR]: [status.INTERNAL, "The call ended without a gRPC status"],
  [constants.NGHTTP2_REFUSED_STREAM]: [status.UNAVAILABLE, "Stream refused by server"],
  [constants.NGHTTP2_CANCEL]: [status.CANCELLED, "Call cancelled by server"],
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: [status.RESOURCE_EXHAUSTED, "Bandwidth exhausted or memory limit exceeded"],
  [constants.NGHTTP2_INADEQUATE_SECURITY]: [status.PERMISSION_DENIED, "Protocol not secure enough"],
};
