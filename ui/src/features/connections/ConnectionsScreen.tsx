import { useState } from "react";
import type { ConnectionView } from "../../api/bindings";
import { useConnections } from "../../api/queries";
import { Button } from "../../components/Button";
import { EmptyState } from "../../components/EmptyState";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Screen } from "../../components/Screen";
import { Waiting } from "../../components/Waiting";
import { useWords } from "../../i18n";
import { AccessLog } from "./AccessLog";
import { ConnectionCard } from "./ConnectionCard";
import { RemoveDialog } from "./RemoveDialog";
import { ScheduleSettings } from "./Schedule";
import styles from "./connections.module.css";

interface ConnectionsScreenProps {
  onConnect: () => void;
  onChart: (connectionId: string) => void;
  onReconnect: (connection: ConnectionView) => void;
}

/** Every source: where it stands, what its last sync did, and what can be done with it. */
export function ConnectionsScreen({ onConnect, onChart, onReconnect }: ConnectionsScreenProps) {
  const { t } = useWords();
  const connections = useConnections();
  const [removing, setRemoving] = useState<ConnectionView | null>(null);
  const list = connections.data ?? [];

  return (
    <Screen title={t("connections.title")} intro={t("connections.intro")}>
      {connections.isPending ? <Waiting label={t("waiting.connections")} /> : null}
      {connections.error ? <ProblemNotice problem={connections.error} /> : null}
      {connections.isSuccess && list.length === 0 ? (
        <EmptyState icon="connections" title={t("connections.none")}>
          <p>{t("connections.noneHelp")}</p>
        </EmptyState>
      ) : null}
      <ul className={styles.cards}>
        {list.map((connection) => (
          <ConnectionCard
            key={connection.id}
            connection={connection}
            onChart={() => onChart(connection.id)}
            onReconnect={() => onReconnect(connection)}
            onRemove={() => setRemoving(connection)}
          />
        ))}
      </ul>
      <ScheduleSettings />
      <AccessLog />
      <div>
        <Button kind={list.length === 0 ? "primary" : "secondary"} onClick={onConnect}>
          {t("connections.add")}
        </Button>
      </div>
      {removing ? <RemoveDialog connection={removing} onClose={() => setRemoving(null)} /> : null}
    </Screen>
  );
}
