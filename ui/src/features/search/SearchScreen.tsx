import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import type { SearchHitView } from "../../api/bindings";
import { useSearch } from "../../api/queries";
import { EmptyState } from "../../components/EmptyState";
import { Icon } from "../../components/Icon";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Select } from "../../components/Select";
import { typeWords } from "../../fhir/codes";
import { useWords } from "../../i18n";
import { Hit } from "./Hit";
import styles from "./search.module.css";

/** As long as typing goes on faster than this, the last word counts. */
const WAIT_MS = 50;
const LIMIT = 60;

/** Kinds of records that people look for, by FHIR type. */
const KINDS = ["Condition", "MedicationRequest", "AllergyIntolerance", "Observation", "DiagnosticReport", "Immunization", "Procedure", "Encounter", "DocumentReference", "CarePlan", "Goal", "ServiceRequest", "Coverage"];

function useDebounced(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), WAIT_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

interface SearchScreenProps {
  words: string;
  onWords: (words: string) => void;
  onOpen: (hit: SearchHitView) => void;
  /** Rises when the search field is asked for from elsewhere. */
  focusRequest: number;
}

/** Everything stored here, by words, as they are typed. */
export function SearchScreen({ words, onWords, onOpen, focusRequest }: SearchScreenProps) {
  const all = useWords();
  const { t } = all;
  const [kind, setKind] = useState<string | null>(null);
  const [typed, setTyped] = useState(words);
  const [active, setActive] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const settled = useDebounced(typed.trim());
  const found = useSearch(settled, kind, LIMIT);
  const hits = settled === "" ? [] : (found.data ?? []);

  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, [focusRequest]);

  useEffect(() => onWords(settled), [onWords, settled]);

  function keys(event: KeyboardEvent) {
    if (event.key === "ArrowDown") setActive((at) => Math.min(at + 1, hits.length - 1));
    else if (event.key === "ArrowUp") setActive((at) => Math.max(at - 1, 0));
    else if (event.key === "Enter") {
      const hit = hits[active];
      if (hit) onOpen(hit);
    } else if (event.key === "Escape") setTyped("");
    else return;
    event.preventDefault();
  }

  return (
    <div className={styles.screen}>
      <h1 className={styles.title}>{t("search.title")}</h1>
      <div className={styles.field}>
        <Icon name="search" />
        <input
          ref={input}
          data-testid="search-input"
          className={styles.input}
          type="search"
          role="combobox"
          aria-label={t("search.label")}
          aria-expanded={hits.length > 0}
          aria-controls="search-hits"
          aria-activedescendant={hits[active] ? `hit-${active}` : undefined}
          aria-autocomplete="list"
          autoComplete="off"
          spellCheck={false}
          placeholder={t("search.placeholder")}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setActive(0);
          }}
          onKeyDown={keys}
        />
      </div>
      <Select
        label={t("timeline.kind")}
        value={kind ?? ""}
        data-testid="search-kind"
        onChange={(event) => {
          setKind(event.target.value || null);
          setActive(0);
        }}
      >
        <option value="">{t("timeline.everything")}</option>
        {KINDS.map((one) => (
          <option key={one} value={one}>
            {typeWords(all, one)}
          </option>
        ))}
      </Select>
      <p className={styles.count} role="status">
        {settled === "" ? t("search.hint") : found.isFetching && hits.length === 0 ? t("search.looking") : hits.length < LIMIT ? t("search.count", { count: hits.length }) : t("search.countLimit", { limit: LIMIT })}
      </p>
      {found.error ? <ProblemNotice problem={found.error} /> : null}
      {settled !== "" && found.isSuccess && !found.isFetching && hits.length === 0 ? (
        <EmptyState icon="search" title={t("search.none")}>
          <p>{t("search.noneHelp")}</p>
        </EmptyState>
      ) : null}
      <div id="search-hits" role="listbox" aria-label={t("search.results")} className={styles.hits}>
        {hits.map((hit, index) => (
          <Hit key={`${hit.record.key.connectionId} ${hit.record.key.resourceType} ${hit.record.key.id}`} id={`hit-${index}`} hit={hit} active={index === active} onOpen={() => onOpen(hit)} />
        ))}
      </div>
    </div>
  );
}
