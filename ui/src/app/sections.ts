import type { Section } from "../api/bindings";

const SECTIONS: readonly Section[] = ["patient", "problems", "medications", "allergies", "immunizations", "labs", "vitals", "procedures", "encounters", "documents", "carePlans", "goals", "observations", "orders", "careTeam", "familyHistory", "devices", "insurance", "peopleAndPlaces", "other"];

/** A part of a chart: a section, the summary, or everything by date. */
export type Part = Section | "summary" | "timeline";

export function readPart(value: unknown): Part | undefined {
  return value === "summary" || value === "timeline" ? value : SECTIONS.find((section) => section === value);
}

export function readText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
