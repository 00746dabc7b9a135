import type { ReactNode } from "react";
import styles from "./Screen.module.css";

/** The frame of a screen that scrolls as a whole: a heading and a column of content. */
export function Screen({ title, intro, children }: { title: string; intro?: string; children: ReactNode }) {
  return (
    <div className={styles.screen}>
      <div className={styles.column}>
        <header>
          <h1 className={styles.title}>{title}</h1>
          {intro ? <p className={styles.intro}>{intro}</p> : null}
        </header>
        {children}
      </div>
    </div>
  );
}
