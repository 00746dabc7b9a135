import { entryOf } from "./json";

/** Which elements of a type come first, in the order in which a person asks for them. */
export interface Layout {
  main: readonly string[];
}

const EMPTY: Layout = { main: ["code", "type", "category", "name", "title", "description", "status", "value", "effective", "period", "date", "note"] };

const LAYOUTS: Record<string, Layout> = {
  Observation: {
    main: ["value", "dataAbsentReason", "interpretation", "referenceRange", "component", "effective", "note", "bodySite", "method", "device", "specimen", "hasMember", "derivedFrom", "performer", "encounter", "category", "status", "issued"],
  },
  Condition: {
    main: ["code", "clinicalStatus", "verificationStatus", "severity", "onset", "abatement", "bodySite", "stage", "evidence", "note", "recordedDate", "recorder", "asserter", "encounter", "category"],
  },
  MedicationRequest: {
    main: ["medication", "dosageInstruction", "status", "statusReason", "reason", "reasonCode", "reasonReference", "authoredOn", "requester", "dispenseRequest", "substitution", "note", "intent", "reported", "category", "encounter"],
  },
  AllergyIntolerance: {
    main: ["code", "criticality", "reaction", "clinicalStatus", "verificationStatus", "type", "category", "onset", "lastOccurrence", "note", "recordedDate", "recorder", "asserter"],
  },
  Immunization: {
    main: ["vaccineCode", "occurrence", "status", "statusReason", "protocolApplied", "doseQuantity", "site", "route", "performer", "location", "manufacturer", "lotNumber", "expirationDate", "reaction", "note", "primarySource"],
  },
  Encounter: {
    main: ["type", "class", "period", "status", "reasonCode", "reasonReference", "diagnosis", "location", "participant", "hospitalization", "serviceProvider", "serviceType", "length"],
  },
  Procedure: {
    main: ["code", "performed", "status", "reasonCode", "reasonReference", "bodySite", "outcome", "complication", "followUp", "performer", "location", "focalDevice", "usedReference", "note", "report", "encounter", "category"],
  },
  DocumentReference: {
    main: ["type", "description", "date", "author", "authenticator", "custodian", "content", "context", "status", "docStatus", "category"],
  },
  DiagnosticReport: {
    main: ["code", "conclusion", "conclusionCode", "result", "effective", "issued", "performer", "resultsInterpreter", "presentedForm", "specimen", "imagingStudy", "media", "status", "category", "encounter"],
  },
  CarePlan: {
    main: ["title", "description", "category", "period", "status", "addresses", "goal", "activity", "careTeam", "author", "contributor", "note", "intent", "encounter"],
  },
  Goal: {
    main: ["description", "lifecycleStatus", "achievementStatus", "target", "start", "statusDate", "statusReason", "priority", "addresses", "expressedBy", "note", "category", "outcomeCode", "outcomeReference"],
  },
  Patient: {
    main: ["name", "birthDate", "gender", "deceased", "telecom", "address", "communication", "maritalStatus", "multipleBirth", "contact", "generalPractitioner", "managingOrganization", "link", "active", "photo"],
  },
};

export function layoutOf(type: string | undefined): Layout {
  return entryOf(LAYOUTS, type ?? "") ?? EMPTY;
}

/** Elements that say where a record belongs rather than what it says. */
export const ABOUT = ["identifier", "subject", "patient", "basedOn", "partOf", "language", "groupIdentifier", "requisition"];
