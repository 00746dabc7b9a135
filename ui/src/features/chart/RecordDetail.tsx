import { useEffect, useMemo, useRef, type ReactNode } from "react";
import type { RecordDetailView, RecordKey } from "../../api/bindings";
import { useRecord, type ChartOf } from "../../api/queries";
import { AsGiven } from "../../components/AsGiven";
import { Button } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Tabs } from "../../components/Tabs";
import { Waiting } from "../../components/Waiting";
import { rangeSaid, valueSaid } from "../../fhir/amounts";
import { typeWords } from "../../fhir/codes";
import { formatFhirDate, formatFhirPeriod } from "../../fhir/dates";
import { readResource } from "../../fhir/json";
import { ResourceView } from "../../fhir/ResourceView";
import { useWords } from "../../i18n";
import { JsonView } from "./JsonView";
import { FlagMark, StatusBadge } from "./marks";
import { Originals } from "./Originals";
import { Trend } from "./trend/Trend";
import styles from "./detail.module.css";

interface DetailProps {
  of: ChartOf;
  recordKey: RecordKey;
  onOpen: (key: RecordKey) => void;
  onClose: () => void;
  /** The content of a document, shown above its record. */
  attachments: (key: RecordKey) => ReactNode;
}

function Heading({ detail }: { detail: RecordDetailView }) {
  const words = useWords();
  const { t, intl } = words;
  const { summary } = detail;
  const date =
    summary.date &&
    formatFhirPeriod(intl, summary.date.value, summary.date.end ?? undefined, {
      since: (from) => from,
      until: (to) => t("period.until", { date: to }),
    });
  return (
    <div className={styles.heading}>
      <p className={styles.kind}>{typeWords(words, summary.key.resourceType)}</p>
      <h2 className={styles.title}>
        <AsGiven>{words.said(summary.title)}</AsGiven>
      </h2>
      {summary.value ? (
        <p className={styles.value}>
          <AsGiven>{valueSaid(words, summary)}</AsGiven> <FlagMark flag={summary.flag} always />
        </p>
      ) : null}
      {summary.range ? <p className={styles.range}>{t("record.range", { range: rangeSaid(words, summary.range) })}</p> : null}
      <p className={styles.facts}>
        {summary.status ? <StatusBadge status={summary.status} /> : null}
        <span>{date ?? t("record.undated")}</span>
      </p>
    </div>
  );
}

/** Who says so, and since when it is here. */
function Provenance({ detail }: { detail: RecordDetailView }) {
  const { t, intl } = useWords();
  return (
    <p className={styles.provenance}>
      {t("record.source", {
        source: detail.summary.source,
        date: intl.formatDate(detail.fetchedAt, { dateStyle: "medium", timeStyle: "short" }),
      })}
      {detail.lastUpdated ? ` ${t("record.lastUpdated", { date: formatFhirDate(intl, detail.lastUpdated) })}` : ""}
      {detail.provenance.flatMap(({ recorded, agents }) =>
        agents.map(({ role, who, onBehalfOf }, index) => (
          <span key={`${recorded ?? ""} ${index} ${who}`} className={styles.agent} data-testid="provenance-agent">
            {t("record.saidBy", {
              role: role ?? t("record.saidByRole"),
              who: onBehalfOf && onBehalfOf !== who ? t("record.saidByFor", { who, organization: onBehalfOf }) : who,
              date: recorded ? formatFhirDate(intl, recorded) : t("record.undated"),
            })}
          </span>
        )),
      )}
    </p>
  );
}

function Overview({ of, detail, onOpen, attachments }: { detail: RecordDetailView } & Pick<DetailProps, "of" | "onOpen" | "attachments">) {
  const { t, intl } = useWords();
  const resource = useMemo(() => readResource(detail.json), [detail.json]);
  return (
    <div className={styles.overview}>
      {detail.summary.malformed ? <p className={styles.malformed}>{t("record.malformedWhy", { reason: detail.summary.malformed })}</p> : null}
      {detail.summary.withdrawnAt ? (
        <p className={styles.malformed}>{t("record.withdrawnWhy", { date: intl.formatDate(detail.summary.withdrawnAt, { dateStyle: "medium" }) })}</p>
      ) : null}
      {attachments(detail.summary.key)}
      <Trend of={of} recordKey={detail.summary.key} onOpen={onOpen} />
      {resource ? <ResourceView resource={resource} references={detail.references} onOpen={onOpen} /> : <p>{t("record.unreadable")}</p>}
      <Provenance detail={detail} />
    </div>
  );
}

/** One record, in plain words and as it was received. */
export function RecordDetail({ of, recordKey, onOpen, onClose, attachments }: DetailProps) {
  const { t } = useWords();
  const record = useRecord(recordKey);
  const pane = useRef<HTMLElement>(null);
  const id = `${recordKey.connectionId} ${recordKey.resourceType} ${recordKey.id}`;

  useEffect(() => {
    pane.current?.scrollTo({ top: 0 });
  }, [id]);

  return (
    <aside ref={pane} className={styles.detail} aria-label={t("record.pane")} data-testid="record-detail">
      <Button kind="quiet" size="small" className={styles.close} data-testid="record-close" onClick={onClose}>
        <span className={styles.closeWide}>
          <Icon name="close" />
          <span className="visually-hidden">{t("record.close")}</span>
        </span>
        <span className={styles.closeNarrow}>
          <Icon name="back" /> {t("action.back")}
        </span>
      </Button>
      {record.isPending ? <Waiting label={t("waiting.record")} /> : null}
      {record.error ? <ProblemNotice problem={record.error} /> : null}
      {record.data ? (
        <>
          <Heading detail={record.data} />
          <Originals key={`${id} originals`} detail={record.data} onOpen={onOpen} />
          <Tabs
            key={id}
            label={t("record.views")}
            tabs={[
              { id: "overview", title: t("record.overview"), content: <Overview of={of} detail={record.data} onOpen={onOpen} attachments={attachments} /> },
              { id: "json", title: t("record.json"), content: <JsonView json={record.data.json} /> },
            ]}
          />
        </>
      ) : null}
    </aside>
  );
}
