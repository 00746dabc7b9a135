import { useCallback, useMemo, useState } from "react";
import type { RecordKey } from "../../../api/bindings";
import { useTrend, type ChartOf } from "../../../api/queries";
import { Button } from "../../../components/Button";
import { useWords } from "../../../i18n";
import { Plot } from "./Plot";
import { panelsOf } from "./series";
import { TrendTable } from "./TrendTable";
import styles from "./trend.module.css";

/** The same measurement over time, as plots and as a table; nothing where it was measured once. */
export function Trend({ of, recordKey, onOpen }: { of: ChartOf; recordKey: RecordKey; onOpen: (key: RecordKey) => void }) {
  const { t } = useWords();
  const { data } = useTrend(of, recordKey, recordKey.resourceType === "Observation");
  const [asTable, setAsTable] = useState(false);
  // What cannot be drawn can be read.
  const showTable = useCallback(() => setAsTable(true), []);
  const panels = useMemo(() => panelsOf(data?.points ?? []).filter(({ lines }) => lines.some(({ points }) => points.length > 1)), [data]);
  if (!data || data.points.length < 2) return null;
  const plotted = panels.length > 0 && !asTable;
  return (
    <section className={styles.trend} aria-labelledby="trend-title" data-testid="trend">
      <header className={styles.head}>
        <h3 id="trend-title">{t("trend.title", { count: data.points.length })}</h3>
        {panels.length > 0 ? (
          <Button kind="quiet" size="small" data-testid="trend-switch" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
            {t(asTable ? "trend.asPlot" : "trend.asTable")}
          </Button>
        ) : null}
      </header>
      {plotted ? panels.map((panel) => <Plot key={panel.unit ?? ""} panel={panel} title={data.title} onFailed={showTable} />) : <TrendTable points={data.points} title={data.title} onOpen={onOpen} />}
      {plotted && panels.length > 1 ? <p className={styles.note}>{t("trend.units")}</p> : null}
      {data.cut ? <p className={styles.note}>{t("trend.cut", { count: data.points.length })}</p> : null}
    </section>
  );
}
