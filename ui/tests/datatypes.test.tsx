import type { ComponentType } from "react";
import { describe, expect, test } from "vitest";
import { Address } from "../src/fhir/Address";
import { Annotation } from "../src/fhir/Annotation";
import { Attachment } from "../src/fhir/Attachment";
import { CodeableConcept } from "../src/fhir/CodeableConcept";
import { Coding } from "../src/fhir/Coding";
import { ContactPoint } from "../src/fhir/ContactPoint";
import { Dosage } from "../src/fhir/Dosage";
import { HumanName } from "../src/fhir/HumanName";
import { Identifier } from "../src/fhir/Identifier";
import { readResource, type Json, type JsonObject } from "../src/fhir/json";
import { Money } from "../src/fhir/Money";
import { Period } from "../src/fhir/Period";
import { Quantity } from "../src/fhir/Quantity";
import { Range } from "../src/fhir/Range";
import { Ratio } from "../src/fhir/Ratio";
import { Reference } from "../src/fhir/Reference";
import { RecordSurroundingsProvider } from "../src/fhir/RecordContext";
import { ResourceView } from "../src/fhir/ResourceView";
import { SampledData } from "../src/fhir/SampledData";
import { Timing } from "../src/fhir/Timing";
import { Value } from "../src/fhir/Value";
import { NEVER, read } from "./support";

type Datatype = ComponentType<{ value: JsonObject }>;

const DATATYPES: Record<string, Datatype> = {
  Address, Annotation, Attachment, CodeableConcept, Coding, ContactPoint, Dosage, HumanName, Identifier,
  Money, Period, Quantity, Range, Ratio, Reference, SampledData, Timing,
};

describe.each(Object.entries(DATATYPES))("%s", (_name, Shown) => {
  test.each<[string, JsonObject]>([
    ["empty", {}],
    ["nothing but an id", { id: "x" }],
    ["every part null", { value: null, text: null, coding: null, start: null, end: null, low: null, numerator: null, reference: null, given: null, line: null }],
    ["parts of the wrong shape", { value: {}, text: [], coding: {}, start: 7, end: {}, low: "x", high: 3, numerator: 1, repeat: "daily", given: {}, line: 5, unit: {}, doseAndRate: 1 }],
    ["parts that are empty", { text: "", display: "  ", coding: [], given: [], line: [""], repeat: {}, low: {}, high: {} }],
  ])("%s", (_case, value) => {
    expect(read(<Shown value={value} />)).not.toMatch(NEVER);
  });
});

const LOINC = { system: "http://loinc.org", code: "4548-4" };

describe("meaning first", () => {
  test.each<[string, Datatype, JsonObject, string]>([
    ["a concept by its text", CodeableConcept, { text: "Sugar", coding: [{ ...LOINC, display: "Hemoglobin A1c" }] }, "Sugar"],
    ["a concept by its display", CodeableConcept, { coding: [{ ...LOINC }, { ...LOINC, display: "Hemoglobin A1c" }] }, "Hemoglobin A1c"],
    ["a status by its words", CodeableConcept, { coding: [{ system: "http://terminology.hl7.org/CodeSystem/condition-clinical", code: "active" }] }, "Active"],
    ["an unknown with its reason", CodeableConcept, { coding: [{ system: "http://terminology.hl7.org/CodeSystem/data-absent-reason", code: "asked-unknown" }] }, "Asked, but not known"],
    ["a name", HumanName, { prefix: ["Dr."], given: ["Ana", "Luz"], family: "Ñuñez", suffix: ["MD"] }, "Dr. Ana Luz Ñuñez MD"],
    ["a name as written", HumanName, { text: "Ana L. Ñuñez", family: "Other" }, "Ana L. Ñuñez"],
    ["a quantity", Quantity, { value: 7.2, unit: "mmol/L" }, "7.2 mmol/L"],
    ["a comparison", Quantity, { comparator: "<", value: 5, unit: "mg/L" }, "< 5 mg/L"],
    ["a percentage", Quantity, { value: 98, unit: "%" }, "98%"],
    ["a count without unit", Quantity, { value: 3, code: "1", system: "http://unitsofmeasure.org" }, "3"],
    ["a range says its unit once", Range, { low: { value: 3.5, unit: "mmol/L" }, high: { value: 5.1, unit: "mmol/L" } }, "3.5 – 5.1 mmol/L"],
    ["a range with one end", Range, { high: { value: 5, unit: "mg/L" } }, "5 mg/L or less"],
    ["a ratio", Ratio, { numerator: { value: 1, unit: "mg" }, denominator: { value: 1, unit: "mL" } }, "1 mg per mL"],
    ["money", Money, { value: 12.5, currency: "USD" }, "$12.50"],
    ["a period", Period, { start: "2019-04", end: "2020" }, "Apr 2019 – 2020"],
    ["a phone", ContactPoint, { system: "phone", value: "+1 555 0100" }, "+1 555 0100"],
    ["an address", Address, { line: ["12 Harbour Road"], city: "Duluth", state: "MN", postalCode: "55802" }, "12 Harbour Road\nDuluth, MN 55802"],
    ["a note", Annotation, { text: "Better at home." }, "Better at home."],
    ["a reference by its display", Reference, { reference: "Practitioner/d1", display: "Dr. Okafor" }, "Dr. Okafor"],
    ["a reference without a name", Reference, { reference: "https://ehr.example/fhir/Practitioner/d1" }, "Health professional (not named)"],
    ["a dosage in the prescriber's words", Dosage, { text: "One in the morning", doseAndRate: [{ doseQuantity: { value: 1 } }] }, "One in the morning"],
    ["a dosage in parts", Dosage, { doseAndRate: [{ doseQuantity: { value: 10, unit: "mg" } }], route: { text: "by mouth" }, asNeededBoolean: true }, "10 mg"],
    ["an identifier", Identifier, { system: "http://hl7.org/fhir/sid/us-ssn", value: "999-12-3456" }, "999-12-3456"],
  ])("%s", (_case, Shown, value, said) => {
    const text = read(<Shown value={value} />);
    expect(text.toLowerCase()).toContain(said.toLowerCase());
    expect(text).not.toMatch(NEVER);
  });

  test("a reference is named by what is stored here", () => {
    const references = [{ reference: "Practitioner/d1", title: "Dr. Samuel Okafor", key: { connectionId: "c", resourceType: "Practitioner", id: "d1" } }];
    const shown = (
      <RecordSurroundingsProvider value={{ references, contained: [] }}>
        <Reference value={{ reference: "Practitioner/d1" }} />
      </RecordSurroundingsProvider>
    );
    expect(read(shown)).toBe("Dr. Samuel Okafor");
  });

  test("a contained resource is named by what it says", () => {
    const contained = [{ resourceType: "Medication", id: "m", code: { text: "Lisinopril 10 mg" } }];
    const shown = (
      <RecordSurroundingsProvider value={{ references: [], contained }}>
        <Reference value={{ reference: "#m" }} />
      </RecordSurroundingsProvider>
    );
    expect(read(shown)).toBe("Lisinopril 10 mg");
  });
});

test("a part that holds only concepts is not taken for a code", () => {
  const condition = { resourceType: "Condition", evidence: [{ code: [{ text: "Positive screening" }] }] };
  expect(read(<ResourceView resource={condition} />)).toContain("Positive screening");
  const history = { resourceType: "FamilyMemberHistory", condition: [{ code: { text: "Chronic kidney disease" } }] };
  expect(read(<ResourceView resource={history} />)).toContain("Chronic kidney disease");
});

describe("numbers keep the digits that they were written with", () => {
  test.each([
    ["1.10", "1.10 mg"],
    ["0.0", "0.0 mg"],
    ["100", "100 mg"],
    ["1234567.8", "1,234,567.8 mg"],
    ["-2.50", "-2.50 mg"],
  ])("%s", (written, shown) => {
    const quantity = readResource(`{"value": ${written}, "unit": "mg"}`);
    expect(read(<Quantity value={quantity ?? {}} />)).toBe(shown);
  });
});

describe("any element, whatever it holds", () => {
  test.each<[string, Json]>([
    ["nested without end", Array.from({ length: 40 }).reduce<Json>((inner) => ({ part: inner, note: "x" }), "the end")],
    ["lists of lists", [[["a"]], [null, [1]]]],
    ["only nulls", [null, { a: null }]],
    ["a long text", "word ".repeat(5_000)],
    ["text that turns itself around", "abc\u202Egnp.exe"],
    ["an extension without a value", { extension: [{ url: "http://example.org/x" }] }],
  ])("%s", (_case, value) => {
    const text = read(<Value name="anything" value={value} depth={0} />);
    expect(text).not.toMatch(NEVER);
    expect(text).not.toContain("\u202E");
    expect(text.length).toBeLessThan(4_000);
  });
});
