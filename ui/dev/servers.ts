/** Servers to choose from that are not there. */
import type { AbilityView, DirectoryView, ServerCheckView, ServerView } from "../src/api/bindings";
import { SERVERS } from "./people";

export const LOGO = "data:image/svg+xml," + encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="12" fill="#0b5a8a"/><path d="M10 40c10-14 20 6 44-12" fill="none" stroke="#fff" stroke-width="6"/></svg>');

export const LIST: DirectoryView = {
  id: "d0",
  source: "https://vendor.example/brands.json",
  published: "2026-11-01T00:00:00Z",
  importedAt: "2026-11-24T10:31:12Z",
  servers: 1280,
  skipped: 14,
  reasons: [
    { reason: "otherVersion", count: 12 },
    { reason: "badAddress", count: 2 },
  ],
};

const LONG = "The Consolidated Regional Integrated Health System of the Greater Northern Lakes and Adjoining Counties, Department of Paediatrics and Adolescent Medicine";

export function searchServers(typed: string, long: boolean): ServerView[] {
  const words = typed.toLowerCase().split(/\s+/);
  const named: ServerView[] = long
    ? [{ ...SERVERS[0]!, fhirBase: "https://fhir.very-long-name-of-a-health-system.example/api/FHIR/R4/tenants/0123456789abcdef", name: LONG, place: "Saint-Remy-en-Bouzemont-Saint-Genest-et-Isson, Minnesota" }, ...SERVERS]
    : SERVERS;
  return named.filter((server) => words.every((word) => `${server.name} ${server.place ?? ""} ${server.portal ?? ""} ${server.fhirBase}`.toLowerCase().includes(word)));
}

const yes = (ability: AbilityView["ability"]): AbilityView => ({ ability, offered: true, missing: [] });

export function checkOf(base: string): ServerCheckView {
  const known = SERVERS.find(({ fhirBase }) => fhirBase === base);
  return {
    fhirBase: base,
    name: known?.name ?? new URL(base).host,
    place: known?.place ?? null,
    hasLogo: known?.hasLogo ?? false,
    logoLicense: known?.logoLicense ?? null,
    canRegister: true,
    roles: ["patient", "provider"],
    launches: ["here", "portal"],
    abilities: [yes("patientHere"), yes("patientPortal"), { ability: "providerHere", offered: false, missing: ["permission-user"] }, yes("staySignedIn"), yes("registerItself"), yes("endAccess"), yes("manageAccess")],
    capabilities: ["launch-standalone", "launch-ehr", "client-confidential-asymmetric", "permission-v2"],
    canManage: true,
  };
}
