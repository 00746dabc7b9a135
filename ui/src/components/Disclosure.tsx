import { useState, type ReactNode } from "react";
import styles from "./Disclosure.module.css";

/** A part that opens on demand; what is inside is made only then. */
export function Disclosure({ title, children, open = false }: { title: string; children: ReactNode; open?: boolean }) {
  const [shown, setShown] = useState(open);
  return (
    <details className={styles.disclosure} open={shown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>{title}</summary>
      {shown ? <div className={styles.inside}>{children}</div> : null}
    </details>
  );
}
