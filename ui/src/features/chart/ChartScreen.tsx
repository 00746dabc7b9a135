import type { ReactNode } from "react";
import type { ChartView, ConnectionView, RecordKey, Section } from "../../api/bindings";
import { useChart } from "../../api/queries";
import { useReachability } from "../../api/reachability";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Waiting } from "../../components/Waiting";
import { useWords } from "../../i18n";
import { Banners } from "./Banners";
import { ChartHeader } from "./ChartHeader";
import { RecordDetail } from "./RecordDetail";
import { RecordList } from "./RecordList";
import { SectionList } from "./SectionList";
import styles from "./chart.module.css";

interface ChartScreenProps {
  connection: ConnectionView;
  connections: readonly ConnectionView[];
  section: Section | null;
  record: RecordKey | null;
  onSwitch: (connectionId: string) => void;
  onSection: (section: Section | null) => void;
  onRecord: (key: RecordKey | null) => void;
  onReconnect: (connectionId: string) => void;
  attachments: (key: RecordKey) => ReactNode;
}

/** The section to begin with: the first of the person's health that holds something. */
function firstSection(chart: ChartView) {
  const medical = chart.sections.filter(({ section }) => section !== "patient");
  return medical.find(({ count }) => count > 0) ?? medical[0];
}

function Columns({ chart, ...props }: ChartScreenProps & { chart: ChartView }) {
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
          key={`${chart.connection.id} ${current.section}`}
          connectionId={chart.connection.id}
          section={current}
          selected={props.record}
          syncing={chart.connection.syncing}
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

/** A person's chart from one source: who, the sections, their records, and one record whole. */
export function ChartScreen(props: ChartScreenProps) {
  const { t } = useWords();
  const { connection } = props;
  const chart = useChart(connection.id);
  useReachability(connection.id, connection.state === "connected" || connection.state === "accessLost");

  if (chart.error && !chart.data) return <ProblemNotice problem={chart.error} />;
  if (!chart.data) return <Waiting label={t("waiting.chart")} />;
  return (
    <div className={styles.chart}>
      <ChartHeader chart={chart.data} connections={props.connections} onSwitch={props.onSwitch} />
      <Banners connection={connection} onReconnect={() => props.onReconnect(connection.id)} />
      <Columns chart={chart.data} {...props} />
    </div>
  );
}
