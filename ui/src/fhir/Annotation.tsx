import { useWords } from "../i18n";
import { formatFhirDate } from "./dates";
import { isObject, text, type JsonObject } from "./json";
import { LongText } from "./Primitive";
import { Reference } from "./Reference";
import styles from "./fhir.module.css";

/** A note with who wrote it and when. */
export function Annotation({ value }: { value: JsonObject }) {
  const { intl } = useWords();
  const time = text(value.time);
  const author = text(value.authorString);
  const signed = isObject(value.authorReference) ? <Reference value={value.authorReference} /> : author;
  return (
    <span>
      <LongText value={text(value.text) ?? ""} />
      {signed || time ? (
        <span className={styles.second}>
          {signed}
          {signed && time ? ", " : null}
          {time ? formatFhirDate(intl, time) : null}
        </span>
      ) : null}
    </span>
  );
}
