export function startFixtures(): string {
  return "/";
}
