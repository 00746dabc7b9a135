import { useWords } from "../i18n";
import { resourceTitle, typeWords } from "./codes";
import { Fields } from "./Fields";
import { text, type JsonObject } from "./json";
import styles from "./fhir.module.css";

/** A group of elements inside a record, or a record inside a record. */
export function Backbone({ value, depth }: { value: JsonObject; depth: number }) {
  const words = useWords();
  const type = text(value.resourceType);
  return (
    <div className={styles.backbone}>
      {type ? (
        <p className={styles.backboneTitle}>
          {resourceTitle(words, value)} <span className={styles.aside}>{typeWords(words, type)}</span>
        </p>
      ) : null}
      <Fields value={value} depth={depth + 1} />
    </div>
  );
}
