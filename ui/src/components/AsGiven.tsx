/** A source's own words, in a language that nobody said: they run their own way, and are not claimed to be in the window's language. */
export function AsGiven({ children }: { children: string }) {
  return <bdi lang="">{children}</bdi>;
}
