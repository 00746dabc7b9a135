import { useEffect, useMemo, useRef } from "react";
import { readDocument } from "../../fhir/Narrative";
import { LongText } from "../../fhir/Primitive";
import { Paper } from "./Paper";
import styles from "./documents.module.css";

/** HTML with its structure; its text, where it is too much for that or nothing is left. */
export function Html({ html, text, name }: { html: string; text: string | null; name: string }) {
  const host = useRef<HTMLDivElement>(null);
  const document = useMemo(() => readDocument(html), [html]);
  useEffect(() => {
    if (document) host.current?.replaceChildren(document.cloneNode(true));
  }, [document]);
  return <Paper label={name}>{document ? <div ref={host} className={styles.prose} lang="" data-testid="html-document" /> : <LongText value={text ?? ""} />}</Paper>;
}
