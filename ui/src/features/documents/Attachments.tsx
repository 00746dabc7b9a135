import { useFetchAttachment, useSaveAttachment } from "../../api/actions";
import { useAttachments } from "../../api/queries";
import type { AttachmentView, RecordKey } from "../../api/bindings";
import { Button } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Waiting } from "../../components/Waiting";
import { sizeWords } from "../../fhir/amounts";
import { mediaWords } from "../../fhir/Attachment";
import { LongText } from "../../fhir/Primitive";
import { useWords } from "../../i18n";
import { Clinical } from "./Clinical";
import { Html } from "./Html";
import { Paper } from "./Paper";
import styles from "./documents.module.css";

/** Types that may carry a document. */
const WITH_CONTENT = new Set(["DocumentReference", "DiagnosticReport", "Media", "Binary", "Communication", "Consent"]);

const SHOWN_IMAGES = /^image\/(png|jpeg|gif|webp|bmp)$/;

function Content({ attachment }: { attachment: AttachmentView }) {
  const words = useWords();
  const name = attachment.title ?? mediaWords(words, attachment.contentType);
  if (attachment.clinical !== null) return <Clinical document={attachment.clinical} name={name} />;
  if (attachment.html !== null) return <Html html={attachment.html} text={attachment.text} name={name} />;
  if (attachment.text !== null) {
    return (
      <Paper label={name}>
        <LongText value={attachment.text} />
      </Paper>
    );
  }
  if (attachment.base64 !== null && SHOWN_IMAGES.test(attachment.contentType)) {
    return <img className={styles.image} src={`data:${attachment.contentType};base64,${attachment.base64}`} alt={name} />;
  }
  return <p className={styles.help}>{words.t("document.notShown")}</p>;
}

/** What programs show that were made for it. */
const OPENED = /^application\/pdf|^image\//;

/** As a file, for other programs. */
function Save({ attachment, recordKey, position }: AttachmentProps) {
  const { t } = useWords();
  const save = useSaveAttachment(recordKey, position);
  return (
    <div className={styles.save}>
      {OPENED.test(attachment.contentType) ? (
        <Button size="small" busy={save.isPending} data-testid="attachment-open" onClick={() => save.mutate({ open: true })}>
          {t("document.open")}
        </Button>
      ) : null}
      <Button size="small" busy={save.isPending} data-testid="attachment-save" onClick={() => save.mutate({ open: false })}>
        {t("document.save")}
      </Button>
      {save.error ? <ProblemNotice problem={save.error} /> : null}
      {save.data ? (
        <p className={styles.help} role="status" data-testid="attachment-saved">
          {t("document.saved", { file: save.data })}
        </p>
      ) : null}
    </div>
  );
}

/** Why a content is not here, and the way to have it all the same. */
function Missing({ attachment, recordKey, position }: AttachmentProps) {
  const { t, said } = useWords();
  const fetching = useFetchAttachment(recordKey, position);
  return (
    <div className={styles.missing} data-testid="attachment-missing">
      <p>{attachment.missing ? said(attachment.missing) : null}</p>
      {attachment.canFetch ? (
        <Button busy={fetching.isPending} onClick={() => fetching.mutate(undefined)}>
          {attachment.tooLarge ? t("document.fetchAnyway") : t("document.fetch")}
        </Button>
      ) : null}
      {fetching.error ? <ProblemNotice problem={fetching.error} /> : null}
    </div>
  );
}

interface AttachmentProps {
  attachment: AttachmentView;
  recordKey: RecordKey;
  position: number;
}

function Attachment({ attachment, recordKey, position }: AttachmentProps) {
  const words = useWords();
  const kind = mediaWords(words, attachment.contentType);
  const size = attachment.size > 0 ? sizeWords(words, attachment.size) : null;
  return (
    <figure className={styles.attachment} data-testid="attachment">
      <figcaption className={styles.caption}>
        <Icon name="chart" />
        <span>
          {attachment.title ?? kind}
          <span className={styles.help}>{words.facts([attachment.title && kind, size])}</span>
        </span>
      </figcaption>
      {attachment.difference ? (
        <p className={styles.help} role="note" data-testid="attachment-difference">
          {words.said(attachment.difference)}
        </p>
      ) : null}
      {attachment.missing === null ? (
        <>
          <Content attachment={attachment} />
          <Save attachment={attachment} recordKey={recordKey} position={position} />
        </>
      ) : (
        <Missing attachment={attachment} recordKey={recordKey} position={position} />
      )}
    </figure>
  );
}

/** What a document holds: clinical documents, HTML, text and images here, anything else by name and size. */
export function Attachments({ recordKey }: { recordKey: RecordKey }) {
  const { t } = useWords();
  const wanted = WITH_CONTENT.has(recordKey.resourceType);
  const attachments = useAttachments(recordKey, wanted);
  if (!wanted) return null;
  if (attachments.isPending) return <Waiting label={t("waiting.document")} />;
  if (attachments.error) return <ProblemNotice problem={attachments.error} />;
  return attachments.data.map((attachment, index) => <Attachment key={index} attachment={attachment} recordKey={recordKey} position={index} />);
}
