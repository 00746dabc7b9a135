import type { ReactNode } from "react";
import type { ChartView, ConnectionView, PeopleView, RecordKey } from "../../api/bindings";
import { useChart, type ChartOf } from "../../api/queries";
import { useReachability } from "../../api/reachability";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Waiting } from "../../components/Waiting";
import { useWords } from "../../i18n";
import { Banners } from "./Banners";
import { ChartHeader } from "./ChartHeader";
import { RecordDetail } from "./RecordDetail";
import { RecordList } from "./RecordList";
import { SamePerson } from "./SamePerson";
import { SectionList, type ChartPart } from "./SectionList";
import { Summary } from "./summary/Summary";
import { Timeline } from "./timeline/Timeline";
import styles from "./chart.module.css";

interface ChartScreenProps {
  of: ChartOf;
  connections: readonly ConnectionView[];
  people: PeopleView;
  /** Which part; the summary where none was chosen. */
  section: ChartPart | null;
  record: RecordKey | null;
  onSwitch: (to: ChartOf) => void;
  onSection: (section: ChartPart | null) => void;
  onRecord: (key: RecordKey | null) => void;
  onReconnect: (connection: ConnectionView) => void;
  attachments: (key: RecordKey) => ReactNode;
}

/** The connections of a chart, as the list of connections has them now. */
function sourcesOf(chart: ChartView, connections: readonly ConnectionView[]): ConnectionView[] {
  return [chart.connection, ...chart.others].map((own) => connections.find(({ id }) => id === own.id) ?? own);
}

function Columns({ chart, sources, ...props }: ChartScreenProps & { chart: ChartView; sources: readonly ConnectionView[] }) {
  const current = chart.sections.find(({ section }) => section === props.section);
  const stage = props.record ? "detail" : props.section ? "list" : "sections";
  return (
    <div className={styles.columns} data-stage={stage}>
      <div className={styles.sections}>
        <SectionList sections={chart.sections} current={current?.section ?? (props.section === "timeline" ? "timeline" : "summary")} onSelect={props.onSection} />
      </div>
      <div className={styles.list}>
        {current ? (
          <RecordList
            key={`${chart.person?.id ?? chart.connection.id} ${current.section}`}
            of={props.of}
            section={current}
            selected={props.record}
            syncing={sources.some(({ syncing }) => syncing)}
            onSelect={props.onRecord}
            onBack={() => props.onSection(null)}
          />
        ) : props.section === "timeline" ? (
          <Timeline
            key={chart.person?.id ?? chart.connection.id}
            of={props.of}
            sections={chart.sections}
            selected={props.record}
            onSelect={props.onRecord}
            onBack={() => props.onSection(null)}
          />
        ) : (
          <Summary of={props.of} chart={chart} sources={sources} onOpen={props.onRecord} onSection={props.onSection} onBack={() => props.onSection(null)} />
        )}
      </div>
      {props.record ? (
        <div className={styles.detail}>
          <RecordDetail of={props.of} recordKey={props.record} onOpen={props.onRecord} onClose={() => props.onRecord(null)} attachments={props.attachments} />
        </div>
      ) : null}
    </div>
  );
}

/** What is to be known of one source before reading. */
function Source({ connection, named, onReconnect }: { connection: ConnectionView; named: boolean; onReconnect: () => void }) {
  useReachability(connection.id, connection.state === "connected" || connection.state === "accessLost");
  return <Banners connection={connection} named={named} onReconnect={onReconnect} />;
}

/** A person's chart, from one source or from all of theirs: who, the sections, their records, and one record whole. */
export function ChartScreen(props: ChartScreenProps) {
  const { t } = useWords();
  const chart = useChart(props.of);

  if (chart.error && !chart.data) return <ProblemNotice problem={chart.error} />;
  if (!chart.data) return <Waiting label={t("waiting.chart")} />;
  const sources = sourcesOf(chart.data, props.connections);
  return (
    <div className={styles.chart}>
      <ChartHeader chart={chart.data} sources={sources} connections={props.connections} people={props.people.people} onSwitch={props.onSwitch} />
      <SamePerson people={props.people} sources={sources} onJoined={(personId) => props.onSwitch({ personId })} />
      {sources.map((source) => (
        <Source key={source.id} connection={source} named={sources.length > 1} onReconnect={() => props.onReconnect(source)} />
      ))}
      <Columns chart={chart.data} sources={sources} {...props} />
    </div>
  );
}
