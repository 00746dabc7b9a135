/** What screens change about people whose records come from several sources; each says what it makes stale. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ChartOf, PersonView, ProblemView, RecordKey } from "./bindings";
import { engine } from "./client";
import { keys } from "./queries";

/** Two connections, by their identifiers. */
interface Pair {
  one: string;
  other: string;
}

/** The person's yes: two connections are theirs. */
export function useJoinPeople() {
  const client = useQueryClient();
  return useMutation<PersonView, ProblemView, Pair>({
    mutationFn: ({ one, other }) => engine.peopleJoin(one, other),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.people }),
  });
}

/** The person's no: they are not, and it is not proposed again. */
export function useKeepPeopleApart() {
  const client = useQueryClient();
  return useMutation<null, ProblemView, Pair>({
    mutationFn: ({ one, other }) => engine.peopleKeepApart(one, other),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.people }),
  });
}

/** A connection stands by itself again. */
export function useSplitPeople() {
  const client = useQueryClient();
  return useMutation<null, ProblemView, string>({
    mutationFn: engine.peopleSplit,
    onSuccess: () => {
      client.removeQueries({ queryKey: keys.persons });
      return client.invalidateQueries({ queryKey: keys.people });
    },
  });
}

/** Records that are shown as one are not the same, or may be again. */
export function useGroup(apart: boolean) {
  const client = useQueryClient();
  return useMutation<null, ProblemView, RecordKey>({
    mutationFn: apart ? engine.recordsTakeApart : engine.recordsPutTogether,
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: keys.persons });
      return client.invalidateQueries({ queryKey: keys.everyRecord });
    },
  });
}

/** Opens the print dialog for what the window shows of a chart. */
export function usePrintPage() {
  return useMutation<null, ProblemView, { of: ChartOf; records: number }>({ mutationFn: ({ of, records }) => engine.pagePrint(of, records) });
}
