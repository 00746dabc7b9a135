/** The screens, tied to where the person is and to each other. */
import { Navigate, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { useStartLogin } from "../api/actions";
import type { ConnectionView, RecordKey } from "../api/bindings";
import { useConnections, usePendingLogin, usePeople } from "../api/queries";
import { ProblemNotice } from "../components/ProblemNotice";
import { Waiting } from "../components/Waiting";
import { ChartScreen } from "../features/chart/ChartScreen";
import { ConnectScreen } from "../features/connect/ConnectScreen";
import { AccessLog } from "../features/connections/AccessLog";
import { ConnectionsScreen } from "../features/connections/ConnectionsScreen";
import { Attachments } from "../features/documents/Attachments";
import { PrivacyScreen } from "../features/privacy/PrivacyScreen";
import { SearchScreen } from "../features/search/SearchScreen";
import { TraceScreen } from "../features/tester/TraceScreen";
import { useWords } from "../i18n";
import { withChart } from "./usable";

/** Where a start leads: to the sign-in that waits, to the chart, or to connecting. */
export function StartRoute() {
  const { t } = useWords();
  const connections = useConnections();
  const pending = usePendingLogin();
  if (connections.error) return <ProblemNotice problem={connections.error} />;
  if (!connections.data || pending.isPending) return <Waiting label={t("waiting.start")} />;
  const ready = !pending.data && withChart(connections.data).length > 0;
  return <Navigate to={ready ? "/chart" : "/connect"} replace />;
}

/** Begins a sign-in on a connection that is there already, and shows it. */
function useReconnect() {
  const navigate = useNavigate();
  const { mutate } = useStartLogin();
  return useCallback(
    (connection: ConnectionView) => {
      const { id, fhirBase, role, recordCount } = connection;
      mutate(recordCount > 0 || connection.state === "accessLost" ? { connectionId: id } : { base: fhirBase, role });
      void navigate({ to: "/connect" });
    },
    [mutate, navigate],
  );
}

export function ChartRoute() {
  const { t } = useWords();
  const navigate = useNavigate();
  const at = useSearch({ from: "/chart" });
  const connections = useConnections();
  const people = usePeople();
  const reconnect = useReconnect();
  const go = (search: Partial<typeof at>) => void navigate({ to: "/chart", search: { ...at, ...search } });

  if (connections.error && !connections.data) return <ProblemNotice problem={connections.error} />;
  if (!connections.data || people.isPending) return <Waiting label={t("waiting.chart")} />;
  const usable = withChart(connections.data);
  const asked = usable.find(({ id }) => id === at.connection);
  const connection = asked ?? usable[0];
  const persons = people.data?.people ?? [];
  // Nobody in particular was asked for: the first person, with all sources.
  const first = at.person === undefined && !asked ? persons.find(({ sources }) => sources.some(({ connectionId }) => connectionId === connection?.id)) : undefined;
  const person = persons.find(({ id }) => id === at.person) ?? first;
  // Just signed in: the list that says so is still on its way.
  if (!connection && connections.isFetching) return <Waiting label={t("waiting.chart")} />;
  if (!connection) return <Navigate to="/connect" replace />;
  const record = at.type && at.id ? { connectionId: connection.id, resourceType: at.type, id: at.id } : null;
  return (
    <ChartScreen
      of={person ? { personId: person.id } : { connectionId: connection.id }}
      connections={usable}
      people={people.data ?? { people: [], suggested: [] }}
      section={at.section ?? null}
      record={record}
      onSwitch={(to) =>
        go({
          person: "personId" in to ? to.personId : undefined,
          connection: "connectionId" in to ? to.connectionId : undefined,
          section: undefined,
          type: undefined,
          id: undefined,
        })
      }
      onSection={(section) => go({ person: person?.id, section: section ?? undefined, type: undefined, id: undefined })}
      onRecord={(key: RecordKey | null) => go({ person: person?.id, connection: key?.connectionId ?? connection.id, type: key?.resourceType, id: key?.id })}
      onReconnect={reconnect}
      attachments={(key) => <Attachments recordKey={key} />}
    />
  );
}

export function SearchRoute() {
  const navigate = useNavigate();
  const { words = "", focus = 0 } = useSearch({ from: "/search" });
  const onWords = useCallback(
    (next: string) => void navigate({ to: "/search", search: (at) => ({ words: next || undefined, focus: at.focus }), replace: true }),
    [navigate],
  );
  return (
    <SearchScreen
      words={words}
      focusRequest={focus}
      onWords={onWords}
      onOpen={({ record: { key, section } }) =>
        void navigate({ to: "/chart", search: { connection: key.connectionId, section, type: key.resourceType, id: key.id } })
      }
    />
  );
}

export function ConnectionsRoute() {
  const navigate = useNavigate();
  const reconnect = useReconnect();
  return (
    <ConnectionsScreen
      onConnect={() => void navigate({ to: "/connect" })}
      onChart={(connection) => void navigate({ to: "/chart", search: { connection } })}
      onReconnect={reconnect}
    />
  );
}

export function ConnectRoute() {
  const { data } = useConnections();
  return <ConnectScreen firstRun={data !== undefined && withChart(data).length === 0} />;
}

export function PrivacyRoute() {
  return <PrivacyScreen log={<AccessLog />} />;
}

export function TraceRoute() {
  return <TraceScreen />;
}
