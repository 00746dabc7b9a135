import type { ReactNode } from "react";
import type { ChartView, ConnectionView, PeopleView, RecordKey, Section } from "../../api/bindings";
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
import { SectionList } from "./SectionList";
import styles from "./chart.module.css";

interface ChartScreenProps {
  of: ChartOf;
  connections: readonly ConnectionView[];
  people: PeopleView;
  section: Section | null;
  record: RecordKey | null;
  onSwitch: (to: ChartOf) => void;
  onSection: (section: Section | null) => void;
  onRecord: (key: RecordKey | null) => void;
  onReconnect: (connection: ConnectionView) => void;
  attachments: (key: RecordKey) => ReactNode;
}

/** The section to begin with: the first of the person's health that holds something. */
function firstSection(chart: ChartView) {
  const medical = chart.sections.filter(({ section }) => section !== "patient");
  return medical.find(({ count }) => count > 0) ?? medical[0];
}

/** The connections of a chart, as the list of connections has them now. */
function sourcesOf(chart: ChartView, connections: readonly ConnectionView[]): ConnectionView[] {
  return [chart.connection, ...chart.others].map((own) => connections.find(({ id }) => id === own.id) ?? own);
}

function Columns({ chart, sources, ...props }: ChartScreenProps & { chart: ChartView; sources: readonly ConnectionView[] }) {
  const current = chart.sections.find(({ section }) => section === props.section) ?? firstSection(chart);
  const stage = props.record ? "detail" : props.section ? "list" : "sections";
  if (!current) return null;
  return (
    <div className={styles.columns} data-stage={stage}>
      <div className={styles.sections}>
        <SectionList sections={chart.sections} current={current.section} onSelect={props.onSection} />
      </div>
      <div className={styles.list}>
        <RecordList
          key={`${chart.person?.id ?? chart.connection.id} ${current.section}`}
          of={props.of}
          section={current}
          selected={props.record}
          syncing={sources.some(({ syncing }) => syncing)}
          onSelect={props.onRecord}
          onBack={() => props.onSection(null)}
        />
      </div>
      {props.record ? (
        <div className={styles.detail}>
          <RecordDetail recordKey={props.record} onOpen={props.onRecord} onClose={() => props.onRecord(null)} attachments={props.attachments} />
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
