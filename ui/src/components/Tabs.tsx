import * as Radix from "@radix-ui/react-tabs";
import type { ReactNode } from "react";
import { useDirection } from "../i18n";
import styles from "./Tabs.module.css";

export interface Tab {
  id: string;
  title: string;
  content: ReactNode;
}

/** Views of one thing. */
export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  return (
    <Radix.Root dir={useDirection()} defaultValue={tabs[0]?.id} className={styles.tabs}>
      <Radix.List className={styles.list} aria-label={label}>
        {tabs.map(({ id, title }) => (
          <Radix.Trigger key={id} value={id} className={styles.tab} data-testid={`tab-${id}`}>
            {title}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map(({ id, content }) => (
        <Radix.Content key={id} value={id} className={styles.content}>
          {content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
