import { createIntl } from "react-intl";
import { describe, expect, test } from "vitest";
import { formatFhirDate, formatFhirDay, formatFhirPeriod, parseFhirDate } from "../src/fhir/dates";

const intl = createIntl({ locale: "en-US" });

describe("a date keeps the precision that it was given with", () => {
  test.each([
    ["a year", "1954", "1954"],
    ["a month", "1954-03", "Mar 1954"],
    ["a day", "1954-03-07", "Mar 7, 1954"],
    ["a day before 1900", "1899-12-31", "Dec 31, 1899"],
    ["a day of the year 80", "0080-01-02", "Jan 2, 80"],
    ["a leap day", "2024-02-29", "Feb 29, 2024"],
    ["a moment without a zone", "2024-05-01T08:30", "May 1, 2024, 08:30 AM"],
  ])("%s: %s", (_name, given, shown) => {
    expect(formatFhirDate(intl, given)).toBe(shown);
  });

  test("a moment is shown by the clock of the place where it was written, and says which", () => {
    expect(formatFhirDate(intl, "2024-05-01T23:30:00+05:30")).toBe("May 1, 2024, 11:30 PM (UTC+5:30)");
    expect(formatFhirDay(intl, "2024-05-01T23:30:00+05:30")).toBe("May 1, 2024");
    expect(formatFhirDate(intl, "2024-05-01T00:10:00-07:00")).toBe("May 1, 2024, 12:10 AM (UTC−7)");
  });
});

describe("what is no date stays as it was received", () => {
  test.each(["unknown", "2024-02-30", "2023-02-29", "2024-13", "2024-00", "0000", "20240501", "2024-05-01T25:00", "01/02/2024", "", "2024-5-1"])("%j", (given) => {
    expect(parseFhirDate(given)).toBeUndefined();
    expect(formatFhirDate(intl, given)).toBe(given);
  });
});

describe("a period says what is missing", () => {
  const said = { since: (date: string) => `since ${date}`, until: (date: string) => `until ${date}` };
  test.each([
    ["2020", "2021-04", "2020 – Apr 2021"],
    ["2020-01-05", "2020-01-05", "Jan 5, 2020"],
    ["2020", undefined, "since 2020"],
    [undefined, "2021-04", "until Apr 2021"],
    [undefined, undefined, undefined],
  ])("%s to %s", (start, end, shown) => {
    expect(formatFhirPeriod(intl, start, end, said)).toBe(shown);
  });
});
