import type { Section } from "../api/bindings";

const SECTIONS: readonly Section[] = ["patient", "problems", "medications", "allergies", "immunizations", "labs", "vitals", "procedures", "encounters", "documents", "carePlans", "goals", "observations", "orders", "careTeam", "familyHistory", "devices", "insurance", "peopleAndPlaces", "other"];

/** A part of a chart: a section, or the summary. */
export function readPart(value: unknown): Section | "summary" | undefined {
  return value === "summary" ? value : SECTIONS.find((section) => section === value);
}

export function readText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
