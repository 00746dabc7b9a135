/** What the sections of a chart are called, and why one is not whole. */
import type { ChartSectionView, SectionNoteView } from "../../api/bindings";
import type { Words } from "../../i18n";

export function sectionTitle({ find }: Words, { section, title }: ChartSectionView): string {
  return find(`section.${section}`) ?? title;
}

function noteWords({ find }: Words, { source, outcome, problem, text }: SectionNoteView): string {
  const why = problem ? find(`problem.${problem.code}`) : find(`note.${outcome}`);
  const more = problem ? find("note.more") : "";
  const said = why === undefined || more === undefined ? text : `${why} ${more}`.trim();
  return source === null ? said : `${source}: ${said}`;
}

/** Why a section is not whole, source by source; nothing where it is. */
export function sectionNote(words: Words, section: ChartSectionView | undefined): string {
  return (section?.notes ?? []).map((note) => noteWords(words, note)).join(" ");
}
