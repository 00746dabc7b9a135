import { useState, type ReactNode } from "react";
import { Button } from "../components/Button";
import { useWords } from "../i18n";
import type { Json } from "./json";
import styles from "./fhir.module.css";

const FIRST = 20;
/** What one press adds: a record may hold a hundred thousand, and no page could. */
const STEP = 1000;

/** The beginning of a list, and the button that shows more when there is more. */
export function useFirst<T>(items: readonly T[], first = FIRST): [readonly T[], ReactNode] {
  const [count, setCount] = useState(first);
  const { t } = useWords();
  if (items.length <= count) return [items, null];
  const all = count + STEP >= items.length;
  const button = (
    <Button kind="quiet" size="small" onClick={() => setCount(count + STEP)}>
      {all ? t("list.showAll", { count: items.length }) : t("list.showMore", { more: STEP, count: items.length })}
    </Button>
  );
  return [items.slice(0, count), button];
}

/** A list that begins short when it is long. */
export function More({ items, render }: { items: readonly Json[]; render: (item: Json) => ReactNode }) {
  const [shown, more] = useFirst(items);
  return (
    <>
      <ul className={styles.list}>
        {shown.map((item, index) => (
          <li key={index}>{render(item)}</li>
        ))}
      </ul>
      {more}
    </>
  );
}
