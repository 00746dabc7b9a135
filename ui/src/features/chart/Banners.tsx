import type { ConnectionView } from "../../api/bindings";
import { useCancelSync } from "../../api/actions";
import { useSyncProgress } from "../../api/events";
import { AsGiven } from "../../components/AsGiven";
import { Button } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { ProblemNotice } from "../../components/ProblemNotice";
import { ProgressBar } from "../../components/ProgressBar";
import { useWords } from "../../i18n";
import styles from "./banners.module.css";

/** The server did not answer: what is shown is what was stored. */
function OfflineBanner({ connection, named }: { connection: ConnectionView; named: boolean }) {
  const { t, intl } = useWords();
  if (connection.reachability !== "offline") return null;
  const date = connection.lastSyncedAt && intl.formatDate(connection.lastSyncedAt, { dateStyle: "medium", timeStyle: "short" });
  return (
    <p className={styles.offline} role="status" data-testid="offline-banner">
      <Icon name="offline" />
      {named ? (
        <span>
          <AsGiven>{connection.serverName}</AsGiven>:
        </span>
      ) : null}
      {date ? t("chart.offline", { date }) : t("chart.offlineNever")}
    </p>
  );
}

function SyncBar({ connection }: { connection: ConnectionView }) {
  const { t, said } = useWords();
  const progress = useSyncProgress(connection.id);
  const cancel = useCancelSync();
  if (!connection.syncing) return null;
  const detail = progress
    ? t("sync.detail", { done: progress.stepsDone, total: progress.stepsTotal, records: progress.records })
    : t("sync.beginning");
  return (
    <div className={styles.sync}>
      <ProgressBar
        testId="sync-progress"
        fraction={progress?.fraction ?? 0}
        label={progress ? t("sync.step", { step: said(progress.step) }) : t("sync.starting", { server: connection.serverName })}
        detail={detail}
      />
      <Button kind="quiet" size="small" busy={cancel.isPending} onClick={() => cancel.mutate(connection.id)}>
        {t("sync.stop")}
      </Button>
    </div>
  );
}

interface BannersProps {
  connection: ConnectionView;
  /** There are other sources: each says which it is. */
  named?: boolean;
  onReconnect: () => void;
}

/** What is to be known before reading: a running sync, no network, lost access. */
export function Banners({ connection, named = false, onReconnect }: BannersProps) {
  const { t } = useWords();
  const failed = connection.syncing ? null : connection.lastSync?.problem;
  const source = named ? (
    <p>
      <AsGiven>{connection.serverName}</AsGiven>
    </p>
  ) : null;
  return (
    <div className={styles.banners}>
      <SyncBar connection={connection} />
      <OfflineBanner connection={connection} named={named} />
      {connection.state === "accessLost" && connection.problem ? (
        <ProblemNotice problem={connection.problem} quiet>
          {source}
          <Button kind="primary" size="small" onClick={onReconnect}>
            {t("action.signInAgain")}
          </Button>
        </ProblemNotice>
      ) : failed && connection.reachability !== "offline" ? (
        <ProblemNotice problem={failed} quiet>
          {source}
        </ProblemNotice>
      ) : null}
    </div>
  );
}
