import { useStartSync } from "../../api/actions";
import type { ConnectionView } from "../../api/bindings";
import { useSyncProgress } from "../../api/events";
import { useReachability } from "../../api/reachability";
import { AsGiven } from "../../components/AsGiven";
import { Badge, type Tone } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Disclosure } from "../../components/Disclosure";
import { Icon, type IconName } from "../../components/Icon";
import { ProblemNotice } from "../../components/ProblemNotice";
import { ProgressBar } from "../../components/ProgressBar";
import { useWords, type MessageId } from "../../i18n";
import { Access } from "./Access";
import { Schedule } from "./Schedule";
import { SharedChart } from "./SharedChart";
import { SyncReport } from "./SyncReport";
import { TakeAlong } from "./TakeAlong";
import styles from "./connections.module.css";

function stateOf(connection: ConnectionView): { tone: Tone; icon: IconName; words: MessageId } {
  if (connection.imported) return { tone: "neutral", icon: "chart", words: "state.imported" };
  if (connection.state === "accessLost") return { tone: "warn", icon: "abnormal", words: "state.accessLost" };
  if (connection.state === "authorizing") return { tone: "info", icon: "external", words: "state.authorizing" };
  if (connection.state === "new") return { tone: "neutral", icon: "info", words: "state.new" };
  if (connection.reachability === "offline") return { tone: "sand", icon: "offline", words: "state.offline" };
  return { tone: "good", icon: "check", words: "state.connected" };
}

function LastSync({ connection }: { connection: ConnectionView }) {
  const { t, said, intl } = useWords();
  const progress = useSyncProgress(connection.id);
  if (connection.syncing) {
    return (
      <ProgressBar
        testId="sync-progress"
        fraction={progress?.fraction ?? 0}
        label={progress ? t("sync.step", { step: said(progress.step) }) : t("sync.starting", { server: connection.serverName })}
        detail={progress ? t("sync.detail", { done: progress.stepsDone, total: progress.stepsTotal, records: progress.records }) : t("sync.beginning")}
      />
    );
  }
  if (connection.imported) return <p className={styles.help}>{t("connections.imported", { count: connection.recordCount })}</p>;
  if (!connection.lastSyncedAt) return <p className={styles.help}>{t("connections.neverSynced")}</p>;
  const date = intl.formatDate(connection.lastSyncedAt, { dateStyle: "medium", timeStyle: "short" });
  const whole = connection.lastSync?.complete !== false;
  return <p className={styles.help}>{t(whole ? "connections.synced" : "connections.syncedPartly", { date, count: connection.recordCount })}</p>;
}

interface ConnectionCardProps {
  connection: ConnectionView;
  onChart: () => void;
  onReconnect: () => void;
  onRemove: () => void;
}

/** One source. */
export function ConnectionCard({ connection, onChart, onReconnect, onRemove }: ConnectionCardProps) {
  const { t, said } = useWords();
  const start = useStartSync();
  const state = stateOf(connection);
  const who = connection.signedInAs?.isPatient === false ? connection.signedInAs.name : null;
  const connected = connection.state === "connected";
  useReachability(connection.id, connected);
  return (
    <li className={styles.card} data-testid="connection-card" data-base={connection.fhirBase}>
      <div className={styles.head}>
        <div className={styles.names}>
          <h2 className={styles.name}>
            <AsGiven>{connection.patientName ? said(connection.patientName) : connection.serverName}</AsGiven>
          </h2>
          <p className={styles.help}>
            {connection.patientName ? <AsGiven>{connection.serverName}</AsGiven> : null}
            {connection.patientName && !connection.imported ? " · " : null}
            {connection.imported ? null : t(`role.${connection.role}`)}
          </p>
          {who ? <p className={styles.help}>{t("connections.signedInAs", { name: who })}</p> : null}
        </div>
        <Badge tone={state.tone} icon={state.icon}>
          {t(state.words)}
        </Badge>
      </div>
      <LastSync connection={connection} />
      <Schedule connectionId={connection.id} />
      <SharedChart connection={connection} />
      {connection.problem ? <ProblemNotice problem={connection.problem} quiet /> : null}
      {start.error ? <ProblemNotice problem={start.error} /> : null}
      <div className={styles.actions}>
        {connected ? (
          <Button kind="primary" size="small" data-testid="sync-now" disabled={connection.syncing} busy={start.isPending} onClick={() => start.mutate(connection.id)}>
            <Icon name="sync" size={16} />
            {t("action.syncNow")}
          </Button>
        ) : null}
        {connected || connection.imported ? null : (
          <Button kind="primary" size="small" onClick={onReconnect}>
            {t(connection.state === "accessLost" ? "action.signInAgain" : "action.signIn")}
          </Button>
        )}
        {connection.recordCount > 0 ? (
          <Button size="small" onClick={onChart}>
            {t("connections.openChart")}
          </Button>
        ) : null}
        <Button kind="danger" size="small" data-testid="connection-remove" onClick={onRemove}>
          {t("connections.remove")}
        </Button>
      </div>
      {connection.lastSync ? <SyncReport report={connection.lastSync} connectionId={connection.id} /> : null}
      {connection.recordCount > 0 ? <TakeAlong connection={connection} /> : null}
      {connection.imported ? null : (
        <Disclosure title={t("connections.more")}>
          <p className={styles.base}>
            <AsGiven>{connection.fhirBase}</AsGiven>
          </p>
          <Access connection={connection} />
        </Disclosure>
      )}
    </li>
  );
}
