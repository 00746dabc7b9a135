import { useIntl } from "react-intl";
import { formatFhirDate, parseFhirDate } from "./dates";

/** A date at the precision that it was given with; one that cannot be read is shown as received. */
export function DateTime({ value }: { value: string }) {
  const intl = useIntl();
  const shown = formatFhirDate(intl, value);
  return parseFhirDate(value) ? <time dateTime={value}>{shown}</time> : <span>{shown}</span>;
}
