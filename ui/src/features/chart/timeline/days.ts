import type { IntlShape } from "react-intl";
import type { RecordSummaryView } from "../../../api/bindings";
import { formatFhirDay } from "../../../fhir/dates";

/** The day of a record in words, or its month or year where it says no more; nothing without a date. */
export function dayOf(intl: IntlShape, record: RecordSummaryView): string | null {
  const value = record.date?.value;
  return value ? formatFhirDay(intl, value) : null;
}
