import { expect, test } from "vitest";
import { checkAddress } from "../src/features/connect/address";

test.each([
  ["https://ehr.example.org/fhir", "https://ehr.example.org/fhir"],
  ["ehr.example.org/fhir", "https://ehr.example.org/fhir"],
  ["  https://ehr.example.org/fhir/  ", "https://ehr.example.org/fhir/"],
  ["http://localhost:8080/fhir", "http://localhost:8080/fhir"],
  ["http://127.0.0.1:8080/fhir", "http://127.0.0.1:8080/fhir"],
  ["http://[::1]:8080/fhir", "http://[::1]:8080/fhir"],
])("%s may be asked", (typed, base) => {
  expect(checkAddress(typed)).toEqual({ base });
});

test.each([
  ["", "server.not_a_url"],
  ["my clinic", "server.not_a_url"],
  ["clinic", "server.not_a_url"],
  ["ftp://ehr.example.org/fhir", "server.not_a_url"],
  ["javascript://ehr.example.org/%0aalert(1)", "server.not_a_url"],
  ["https://", "server.not_a_url"],
  ["http://ehr.example.org/fhir", "server.not_https"],
  ["http://127.0.0.1.example.org/fhir", "server.not_https"],
  ["http://localhost.example.org/fhir", "server.not_https"],
])("%j is refused: %s", (typed, code) => {
  expect(checkAddress(typed)).toMatchObject({ problem: { code } });
});
