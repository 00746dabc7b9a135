import type { ReactNode } from "react";
import type { ProblemView } from "../api/bindings";
import { useWords } from "../i18n";
import { AsGiven } from "./AsGiven";
import { Icon } from "./Icon";
import styles from "./ProblemNotice.module.css";

interface ProblemNoticeProps {
  problem: ProblemView;
  /** What can be done about it here: buttons. */
  children?: ReactNode;
  quiet?: boolean;
}

/** What went wrong and what to do, in words; the technical detail is one click away. */
export function ProblemNotice({ problem, children, quiet = false }: ProblemNoticeProps) {
  const { t, find } = useWords();
  const message = find(`problem.${problem.code}`) ?? problem.message;
  const advice = find(`problem.${problem.code}.advice`) ?? problem.advice;
  return (
    <div className={quiet ? styles.quiet : styles.notice} role="alert" data-testid="problem" data-code={problem.code}>
      <Icon name="problem" />
      <div className={styles.words}>
        <p className={styles.message}>{message}</p>
        {advice ? <p>{advice}</p> : null}
        <details className={styles.details}>
          <summary>{t("problem.detail")}</summary>
          <p className={styles.detail}>
            <AsGiven>{problem.detail ? `${problem.code}: ${problem.detail}` : problem.code}</AsGiven>
          </p>
        </details>
        {children ? <div className={styles.actions}>{children}</div> : null}
      </div>
    </div>
  );
}
