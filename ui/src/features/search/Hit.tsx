import { useEffect, useRef } from "react";
import type { SearchHitView } from "../../api/bindings";
import { AsGiven } from "../../components/AsGiven";
import { Icon } from "../../components/Icon";
import { valueSaid } from "../../fhir/amounts";
import { typeWords } from "../../fhir/codes";
import { formatFhirDay } from "../../fhir/dates";
import { useWords } from "../../i18n";
import styles from "./search.module.css";

interface HitProps {
  id: string;
  hit: SearchHitView;
  active: boolean;
  onOpen: () => void;
}

/** One search result, with the words that matched marked. Keys are handled by the search field. */
export function Hit({ id, hit, active, onOpen }: HitProps) {
  const words = useWords();
  const element = useRef<HTMLDivElement>(null);
  const { record, snippet } = hit;

  useEffect(() => {
    if (active) element.current?.scrollIntoView({ block: "nearest" });
  }, [active]);

  const facts = [
    typeWords(words, record.key.resourceType),
    record.value && valueSaid(words, record),
    record.date ? formatFhirDay(words.intl, record.date.value) : words.t("record.undated"),
    hit.patientName,
    record.source,
  ].filter(Boolean);
  return (
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- Enter in the combobox opens the active option
    <div ref={element} id={id} role="option" aria-selected={active} tabIndex={-1} className={styles.hit} data-testid="search-hit" onClick={onOpen}>
      <span className={styles.hitTitle}>
        <AsGiven>{words.said(record.title)}</AsGiven>
      </span>
      {hit.inDocument ? (
        <span className={styles.inside} data-testid="in-document">
          <Icon name="chart" />
          {words.t("search.inDocument")}
        </span>
      ) : null}
      {snippet.length > 0 ? (
        <span className={styles.snippet}>
          {snippet.map((part, index) => (part.matched ? <mark key={index}>{part.text}</mark> : <span key={index}>{part.text}</span>))}
        </span>
      ) : null}
      <span className={styles.facts}>
        {facts.map((fact, index) => (
          <span key={index}>
            {index > 0 ? " · " : null}
            <bdi>{fact}</bdi>
          </span>
        ))}
      </span>
    </div>
  );
}
