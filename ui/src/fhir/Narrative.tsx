import DOMPurify from "dompurify";
import { useEffect, useRef } from "react";
import styles from "./fhir.module.css";

const TAGS = ["a", "abbr", "b", "big", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd", "dfn", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "kbd", "li", "ol", "p", "pre", "q", "samp", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "ul", "var"];
const ATTRIBUTES = ["colspan", "rowspan", "lang", "dir"];

/** Formatting only: no link, image, style, script or form survives. */
export function sanitiseNarrative(html: string): DocumentFragment {
  return DOMPurify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
}

/** Text that the source wrote for people, as XHTML. It is hostile until sanitised. */
export function Narrative({ html }: { html: string }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    host.current?.replaceChildren(sanitiseNarrative(html));
  }, [html]);
  return <div ref={host} className={styles.narrative} />;
}
