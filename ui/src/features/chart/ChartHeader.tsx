import { useStartSync } from "../../api/actions";
import type { ChartView, ConnectionView, PersonView } from "../../api/bindings";
import type { ChartOf } from "../../api/queries";
import { AsGiven } from "../../components/AsGiven";
import { Button } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { useWords } from "../../i18n";
import { PatientHeader } from "./PatientHeader";
import styles from "./header.module.css";

interface ChartHeaderProps {
  chart: ChartView;
  /** Where this chart comes from. */
  sources: readonly ConnectionView[];
  connections: readonly ConnectionView[];
  people: readonly PersonView[];
  onSwitch: (to: ChartOf) => void;
}

/** People and connections have identifiers of their own; in one list they are told apart by this. */
const PERSON = "person ";

function Switcher({ chart, connections, people, onSwitch }: ChartHeaderProps) {
  const { t } = useWords();
  if (connections.length < 2) return null;
  const chosen = chart.person ? PERSON + chart.person.id : chart.connection.id;
  const choose = (value: string) => onSwitch(value.startsWith(PERSON) ? { personId: value.slice(PERSON.length) } : { connectionId: value });
  return (
    <label className={styles.switcher}>
      <span className="visually-hidden">{t("chart.switch")}</span>
      <select value={chosen} onChange={(event) => choose(event.target.value)} data-testid="chart-switcher">
        {people.map(({ id, name, sources }) => (
          <option key={id} value={PERSON + id}>
            {t("chart.switchPerson", { name, count: sources.length })}
          </option>
        ))}
        {connections.map((connection) => (
          <option key={connection.id} value={connection.id}>
            {connection.patientName ? t("chart.switchOption", { name: connection.patientName, server: connection.serverName }) : connection.serverName}
          </option>
        ))}
      </select>
    </label>
  );
}

function AsOf({ source }: { source: ConnectionView }) {
  const { t, intl } = useWords();
  const { serverName, lastSyncedAt } = source;
  return (
    <p className={styles.asOf}>
      <span className={styles.source}>
        <AsGiven>{serverName}</AsGiven>
      </span>{" "}
      {lastSyncedAt ? <span>{t("chart.asOf", { date: intl.formatDate(lastSyncedAt, { dateStyle: "medium", timeStyle: "short" }) })}</span> : null}
    </p>
  );
}

/** The person, which sources, as of when, and fetching anew. */
export function ChartHeader(props: ChartHeaderProps) {
  const { t } = useWords();
  const start = useStartSync();
  const connected = props.sources.filter(({ state }) => state === "connected");
  const waiting = connected.filter(({ syncing }) => !syncing);
  return (
    <header className={styles.header}>
      <PatientHeader chart={props.chart} />
      <div className={styles.side}>
        <Switcher {...props} />
        {connected.length > 0 ? (
          <Button
            size="small"
            data-testid="sync-now"
            disabled={waiting.length === 0}
            busy={start.isPending}
            onClick={() => waiting.forEach(({ id }) => start.mutate(id))}
          >
            <Icon name="sync" size={16} />
            {t("action.syncNow")}
          </Button>
        ) : null}
        {props.sources.map((source) => (
          <AsOf key={source.id} source={source} />
        ))}
      </div>
    </header>
  );
}
