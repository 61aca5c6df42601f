import swagger, { type SwaggerTransformObject } from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform } from "fastify-type-provider-zod";
import { FANOUT_VERSION } from "../version.js";

/** The page loads its scripts and styles from this server alone. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** In place of the documentation library's logo. */
const NAME = `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><text x="0" y="27" font-family="system-ui, sans-serif" font-size="24" font-weight="600" fill="#ffffff">fanout</text></svg>`;

/** Serves the OpenAPI document at /openapi.json and Swagger UI at /docs. Neither needs the key. */
export async function addApiDocumentation(app: FastifyInstance, withKey: boolean): Promise<void> {
  const securitySchemes = {
    apiKey: { type: "apiKey", in: "header", name: "x-api-key" },
    bearer: { type: "http", scheme: "bearer" },
    session: {
      type: "apiKey",
      in: "cookie",
      name: "fanout_session_PORT",
      description: "The session of a browser that has logged in at /login; PORT is the one that the server listens on.",
    },
  } as const;
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Orchestration Service",
        description: "Starts fan-out/fan-in orchestrations on a Durable Task backend, and reports their status.",
        version: FANOUT_VERSION,
      },
      ...(withKey && { components: { securitySchemes } }),
    },
    transform: jsonSchemaTransform,
    transformObject: (document) =>
      "openapiObject" in document ? withOptionalBodies(document.openapiObject) : document.swaggerObject,
  });
  await app.register(async (scope) => {
    scope.addHook("onSend", async (_request, reply) => {
      reply.header("content-security-policy", CONTENT_SECURITY_POLICY);
    });
    await scope.register(swaggerUi, {
      routePrefix: "/docs",
      uiConfig: { validatorUrl: null },
      theme: { title: "fanout: HTTP API" },
      logo: { type: "image/svg+xml", content: Buffer.from(NAME) },
    });
  });
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
}

type Document = Extract<Parameters<SwaggerTransformObject>[0], { openapiObject: unknown }>["openapiObject"];

/** The generator marks every body as required. A body whose fields all have defaults is optional. */
function withOptionalBodies(document: Document): Document {
  for (const operations of Object.values(document.paths ?? {})) {
    const body = operations?.post?.requestBody;
    if (body === undefined || "$ref" in body) continue;
    const schema = body.content["application/json"]?.schema;
    if (schema !== undefined && "type" in schema && schema.type === "object" && schema.required === undefined)
      body.required = false;
  }
  return document;
}
