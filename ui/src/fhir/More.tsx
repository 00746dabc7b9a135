import { useState, type ReactNode } from "react";
import { Button } from "../components/Button";
import { useWords } from "../i18n";
import type { Json } from "./json";
import styles from "./fhir.module.css";

const FIRST = 20;

/** A list that begins short when it is long. */
export function More({ items, render }: { items: readonly Json[]; render: (item: Json) => ReactNode }) {
  const [whole, setWhole] = useState(false);
  const { t } = useWords();
  const shown = whole ? items : items.slice(0, FIRST);
  return (
    <>
      <ul className={styles.list}>
        {shown.map((item, index) => (
          <li key={index}>{render(item)}</li>
        ))}
      </ul>
      {shown.length < items.length ? (
        <Button kind="quiet" size="small" onClick={() => setWhole(true)}>
          {t("list.showAll", { count: items.length })}
        </Button>
      ) : null}
    </>
  );
}
