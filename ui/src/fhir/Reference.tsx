import { useWords } from "../i18n";
import { resourceTitle, typeWords } from "./codes";
import { text, type JsonObject } from "./json";
import { useSurroundings } from "./RecordContext";
import styles from "./fhir.module.css";

/** The type that a reference names, out of "Practitioner/1", an absolute URL, or `type`. */
function targetType(reference: string | undefined, type: string | undefined): string | undefined {
  const match = /(?:^|\/)([A-Z][A-Za-z]+)\/[^/]+(?:\/_history\/[^/]+)?$/.exec(reference ?? "");
  return match?.[1] ?? type;
}

/** A reference by the name of what it points to; the identifier in it is for machines. */
export function Reference({ value }: { value: JsonObject }) {
  const words = useWords();
  const { references, contained, onOpen } = useSurroundings();
  const reference = text(value.reference);
  const known = references.find((candidate) => candidate.reference === reference);
  const inside = reference?.startsWith("#") ? contained.find((resource) => `#${text(resource.id) ?? ""}` === reference) : undefined;
  const name = text(value.display) ?? known?.title ?? (inside && resourceTitle(words, inside));

  if (known && onOpen) {
    return (
      <button type="button" className={styles.link} onClick={() => onOpen(known.key)}>
        {name}
      </button>
    );
  }
  if (name) return <span>{name}</span>;
  const type = targetType(reference, text(value.type));
  return (
    <span className={styles.absent}>
      {type ? words.t("reference.unnamed", { type: typeWords(words, type) }) : words.t("reference.other")}
    </span>
  );
}
