import { useStartSync } from "../../api/actions";
import type { ChartView, ConnectionView } from "../../api/bindings";
import { Button } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { useWords } from "../../i18n";
import { PatientHeader } from "./PatientHeader";
import styles from "./header.module.css";

interface ChartHeaderProps {
  chart: ChartView;
  connections: readonly ConnectionView[];
  onSwitch: (connectionId: string) => void;
}

function Switcher({ chart, connections, onSwitch }: ChartHeaderProps) {
  const { t } = useWords();
  if (connections.length < 2) return null;
  return (
    <label className={styles.switcher}>
      <span className="visually-hidden">{t("chart.switch")}</span>
      <select value={chart.connection.id} onChange={(event) => onSwitch(event.target.value)} data-testid="chart-switcher">
        {connections.map((connection) => (
          <option key={connection.id} value={connection.id}>
            {connection.patientName ? t("chart.switchOption", { name: connection.patientName, server: connection.serverName }) : connection.serverName}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The person, which source, as of when, and fetching anew. */
export function ChartHeader(props: ChartHeaderProps) {
  const { t, intl } = useWords();
  const { connection } = props.chart;
  const start = useStartSync();
  const asOf = connection.lastSyncedAt
    ? t("chart.asOf", { server: connection.serverName, date: intl.formatDate(connection.lastSyncedAt, { dateStyle: "medium", timeStyle: "short" }) })
    : connection.serverName;
  return (
    <header className={styles.header}>
      <PatientHeader chart={props.chart} />
      <div className={styles.side}>
        <Switcher {...props} />
        {connection.state === "connected" ? (
          <Button size="small" data-testid="sync-now" disabled={connection.syncing} busy={start.isPending} onClick={() => start.mutate(connection.id)}>
            <Icon name="sync" size={16} />
            {t("action.syncNow")}
          </Button>
        ) : null}
        <p className={styles.asOf}>{asOf}</p>
      </div>
    </header>
  );
}
