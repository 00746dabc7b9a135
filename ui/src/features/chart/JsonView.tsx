import { useMemo, type CSSProperties } from "react";
import { CopyButton } from "../../components/CopyButton";
import { useWords } from "../../i18n";
import styles from "./json.module.css";

/** Longer records are shown without being laid out. */
const LAID_OUT_UP_TO = 150_000;

interface Line {
  depth: number;
  text: string;
}

/** Letters of a piece of a longer record. */
const PIECE = 4000;

/** Cuts a long record into pieces, of which only those on screen are laid out; behind a line or a comma where there is one. */
function piecesOf(json: string): string[] {
  const pieces: string[] = [];
  for (let from = 0; from < json.length; ) {
    const piece = json.slice(from, from + PIECE);
    const end = from + PIECE >= json.length ? -1 : piece.lastIndexOf("\n") >= 0 ? piece.lastIndexOf("\n") : piece.lastIndexOf(",");
    pieces.push(end > 0 ? piece.slice(0, end + 1) : piece);
    from += end > 0 ? end + 1 : PIECE;
  }
  return pieces;
}

/** Cuts compact JSON into lines without changing one character of it. */
function linesOf(json: string): Line[] {
  const lines: Line[] = [{ depth: 0, text: "" }];
  let depth = 0;
  let from = 0;
  let quoted = false;
  const cut = (at: number) => {
    const last = lines[lines.length - 1];
    if (last) last.text += json.slice(from, at);
    lines.push({ depth, text: "" });
    from = at;
  };
  for (let at = 0; at < json.length; at += 1) {
    const letter = json[at];
    if (quoted) {
      if (letter === "\\") at += 1;
      else if (letter === '"') quoted = false;
    } else if (letter === '"') {
      quoted = true;
    } else if (letter === "{" || letter === "[") {
      depth += 1;
      if (json[at + 1] !== "}" && json[at + 1] !== "]") cut(at + 1);
    } else if (letter === "}" || letter === "]") {
      depth -= 1;
      if (json[at - 1] !== "{" && json[at - 1] !== "[") cut(at);
    } else if (letter === ",") {
      cut(at + 1);
    }
  }
  const last = lines[lines.length - 1];
  if (last) last.text += json.slice(from);
  return lines;
}

/**
 * The record byte for byte as it was received. Line breaks and indents are drawn by the style sheet:
 * what is selected, copied or read out is exactly what the server sent.
 */
export function JsonView({ json }: { json: string }) {
  const { t } = useWords();
  const compact = !json.includes("\n") && json.length <= LAID_OUT_UP_TO;
  const lines = useMemo(() => (compact ? linesOf(json) : []), [compact, json]);
  const pieces = useMemo(() => (json.length > LAID_OUT_UP_TO ? piecesOf(json) : null), [json]);
  return (
    <div className={styles.view}>
      <div className={styles.bar}>
        <p>{t("json.exact")}</p>
        <CopyButton text={json} label={t("json.copy")} />
      </div>
      {/* A long block that scrolls has to be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrollable region */}
      <pre dir="ltr" className={styles.json} data-testid="record-json" tabIndex={0}>
        {compact
          ? lines.map((line, index) => (
              <span key={index} className={index === 0 ? undefined : styles.line}>
                <span className={styles.indent} style={{ "--depth": line.depth } as CSSProperties} />
                {line.text}
              </span>
            ))
          : (pieces?.map((piece, index) => (
              <span key={index} className={styles.piece}>
                {piece}
              </span>
            )) ?? json)}
      </pre>
    </div>
  );
}
