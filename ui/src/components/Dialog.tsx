import * as Radix from "@radix-ui/react-dialog";
import type { ReactNode } from "react";
import styles from "./Dialog.module.css";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  actions: ReactNode;
}

/**
 * A question that has to be answered first. The scrim is an element of our own: Radix' overlay locks
 * scrolling with a style sheet made at run time, which the content security policy refuses.
 */
export function Dialog({ open, onClose, title, children, actions }: DialogProps) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => (next ? undefined : onClose())}>
      <Radix.Portal>
        <div className={styles.scrim}>
          <Radix.Content className={styles.dialog} aria-describedby={undefined}>
            <Radix.Title className={styles.title}>{title}</Radix.Title>
            <div className={styles.words}>{children}</div>
            <div className={styles.actions}>{actions}</div>
          </Radix.Content>
        </div>
      </Radix.Portal>
    </Radix.Root>
  );
}
