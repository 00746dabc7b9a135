import DOMPurify from "dompurify";
import { useEffect, useMemo, useRef } from "react";
import { useWords } from "../i18n";
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

/** What is read of it at first: sanitising and laying out megabytes would hold up the window. */
const LONG = 200_000;

/** Elements that need no end, or end by themselves: they do not make it deeper. */
const SHALLOW = /^(br|hr|img|col|wbr|input|p|li|dt|dd|td|th|tr|tbody|option)$/;
/** Deeper, and what lays it out falls over. */
const DEEP = 150;

/** Where the part ends that can be shown: before it is too long, or too deep as a reader of HTML counts ("<b/>" stays open). */
function endOf(html: string): number {
  const open: string[] = [];
  for (const { 0: tag, index } of html.slice(0, LONG).matchAll(/<\/?[a-z]\w*/gi)) {
    const name = tag.replace(/^<\/?/, "").toLowerCase();
    if (tag.startsWith("</")) {
      const opened = open.lastIndexOf(name);
      if (opened >= 0) open.length = opened;
    } else if (!SHALLOW.test(name)) open.push(name);
    if (open.length > DEEP) return index;
  }
  return LONG;
}

/** The record's own heading, and that of the attachment. */
const ABOVE = 2;

/** Headings come below those of the page, without a level left out. */
function lowerHeadings(fragment: DocumentFragment): void {
  const headings = [...fragment.querySelectorAll("h1, h2, h3, h4, h5, h6")];
  const levels = [...new Set(headings.map(({ tagName }) => tagName))].sort();
  for (const heading of headings) {
    const lower = document.createElement(`h${String(Math.min(6, levels.indexOf(heading.tagName) + 1 + ABOVE))}`);
    lower.append(...heading.childNodes);
    heading.replaceWith(lower);
  }
}

/** A page of HTML for the middle of ours; nothing where it is too long or too deep, or no words are left of it. */
export function readDocument(html: string): DocumentFragment | undefined {
  if (html.length > endOf(html)) return undefined;
  const fragment = sanitiseNarrative(html);
  if (fragment.textContent.trim() === "") return undefined;
  lowerHeadings(fragment);
  return fragment;
}

/** Text that the source wrote for people, as XHTML. It is hostile until sanitised. */
export function Narrative({ html }: { html: string }) {
  const host = useRef<HTMLDivElement>(null);
  const { t } = useWords();
  const end = useMemo(() => endOf(html), [html]);
  const long = html.length > end;
  useEffect(() => {
    // Cut, and closed by the parser: what is in a tag that was cut goes with it.
    host.current?.replaceChildren(sanitiseNarrative(html.slice(0, end)));
  }, [html, end]);
  return (
    <>
      <div ref={host} className={styles.narrative} />
      {long ? <p className={styles.absent}>{t("narrative.long")}</p> : null}
    </>
  );
}
