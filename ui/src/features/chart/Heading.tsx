import { Button } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { useWords } from "../../i18n";
import styles from "./rows.module.css";

/** What a list is of; where only one thing fits, the way back to the parts of the chart. */
export function Heading({ title, onBack }: { title: string; onBack: () => void }) {
  const { t } = useWords();
  return (
    <div className={styles.heading}>
      <Button kind="quiet" size="small" className={styles.back} onClick={onBack} aria-label={t("chart.backToSections")}>
        <Icon name="back" />
      </Button>
      <h2 id="section-title" data-testid="chart-section-title">
        {title}
      </h2>
    </div>
  );
}
