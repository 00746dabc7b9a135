import type { NarrativeCell, NarrativeNode, NarrativeStyle } from "../../api/bindings";
import { useFirst } from "../../fhir/More";
import { useWords } from "../../i18n";
import styles from "./documents.module.css";

/** What a page begins with of a long list or table, and of a section. */
const FIRST = 100;

const ELEMENTS = { bold: "strong", italics: "em", underline: "u", struck: "del", sub: "sub", sup: "sup" } as const satisfies Record<NarrativeStyle, string>;

type Of<Kind extends NarrativeNode["kind"]> = Extract<NarrativeNode, { kind: Kind }>;

function Cell({ cell, scope, label }: { cell: NarrativeCell; scope: "col" | "row"; label: string }) {
  const Element = cell.heading ? "th" : "td";
  return (
    <Element scope={cell.heading ? scope : undefined} colSpan={cell.columns > 1 ? cell.columns : undefined} rowSpan={cell.rows > 1 ? cell.rows : undefined}>
      <Nodes nodes={cell.children} label={label} />
    </Element>
  );
}

/** A row of headings alone names the columns, wherever it stands. */
function Rows({ rows, label }: { rows: readonly NarrativeCell[][]; label: string }) {
  return rows.map((row, index) => (
    <tr key={index}>
      {row.map((cell, position) => (
        <Cell key={position} cell={cell} scope={row.every(({ heading }) => heading) ? "col" : "row"} label={label} />
      ))}
    </tr>
  ));
}

function Table({ node, label }: { node: Of<"table">; label: string }) {
  const { t } = useWords();
  const [shown, more] = useFirst(node.body, FIRST);
  return (
    <>
      <div className={styles.scroll} role="region" aria-label={t("document.table", { title: label })} tabIndex={0}>
        <table>
          {node.caption.length > 0 ? (
            <caption>
              <Nodes nodes={node.caption} label="" />
            </caption>
          ) : null}
          {node.head.length > 0 ? (
            <thead>
              <Rows rows={node.head} label={label} />
            </thead>
          ) : null}
          <tbody>
            <Rows rows={shown} label={label} />
          </tbody>
        </table>
      </div>
      {more}
    </>
  );
}

function List({ node, label }: { node: Of<"list">; label: string }) {
  const [shown, more] = useFirst(node.items, FIRST);
  const Element = node.ordered ? "ol" : "ul";
  return (
    <>
      {node.caption.length > 0 ? (
        <p className={styles.above}>
          <Nodes nodes={node.caption} label="" />
        </p>
      ) : null}
      <Element>
        {shown.map((item, index) => (
          <li key={index}>
            <Nodes nodes={item} label={label} />
          </li>
        ))}
      </Element>
      {more}
    </>
  );
}

function Media({ node }: { node: Of<"media"> }) {
  const { t } = useWords();
  return (
    <span className={styles.media}>
      {t("document.media")} <Nodes nodes={node.caption} label="" />
    </span>
  );
}

function Shown({ node, label }: { node: NarrativeNode; label: string }) {
  switch (node.kind) {
    case "text":
      return node.text;
    case "break":
      return <br />;
    case "styled": {
      const Element = ELEMENTS[node.style];
      return (
        <Element>
          <Nodes nodes={node.children} label={label} />
        </Element>
      );
    }
    case "paragraph":
      return (
        <p>
          <Nodes nodes={node.children} label={label} />
        </p>
      );
    case "group":
      return (
        <div>
          <Nodes nodes={node.children} label={label} />
        </div>
      );
    case "list":
      return <List node={node} label={label} />;
    case "table":
      return <Table node={node} label={label} />;
    case "media":
      return <Media node={node} />;
  }
}

/** What a document says to people: text and its shape, made of elements and of nothing else. Its tables are named after `label`. */
export function Nodes({ nodes, label }: { nodes: readonly NarrativeNode[]; label: string }) {
  const [shown, more] = useFirst(nodes, FIRST);
  return (
    <>
      {shown.map((node, index) => (
        <Shown key={index} node={node} label={label} />
      ))}
      {more}
    </>
  );
}
