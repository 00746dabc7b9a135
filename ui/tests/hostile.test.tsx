/** Records made to break what shows them: each is shown, in part or as JSON, and never instead of everything else. */
import { render } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import { readResource, type JsonObject } from "../src/fhir/json";
import { stayHere } from "../src/app/stay";
import { Narrative } from "../src/fhir/Narrative";
import { ResourceView } from "../src/fhir/ResourceView";
import { WordsProvider } from "../src/i18n";
import { read } from "./support";

function resource(json: string): JsonObject {
  const found = readResource(json);
  if (!found) throw new Error(`no resource: ${json.slice(0, 80)}`);
  return found;
}

const observation = (more: string) => resource(`{"resourceType":"Observation","id":"o","code":{"text":"Sodium"},${more}}`);

describe("names that every object has", () => {
  test.each(["constructor", "toString", "valueOf", "hasOwnProperty", "__proto__", "isPrototypeOf"])("%s is an element like others", (name) => {
    expect(read(<ResourceView resource={observation(`"${name}":"inherited"`)} />)).toContain("Sodium");
    expect(read(<ResourceView resource={observation(`"${name}":{"${name}":{"text":"inherited"}}`)} />)).toContain("Sodium");
    expect(read(<ResourceView resource={resource(`{"resourceType":"${name}","id":"o","code":{"text":"Sodium"}}`)} />)).toContain("Sodium");
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe("more than a page can hold", () => {
  test("a hundred thousand parts are shown in part", () => {
    const part = '{"code":{"text":"part"},"valueInteger":1}';
    const { container } = render(
      <WordsProvider>
        <ResourceView resource={observation(`"component":[${Array(100_000).fill(part).join(",")}]`)} />
      </WordsProvider>,
    );
    expect(container.querySelectorAll("tr").length).toBeLessThan(100);
    expect(container.textContent).toContain("Show 1,000 more of 100,000");
  });

  test("a hundred thousand reference ranges too", () => {
    const said = read(<ResourceView resource={observation(`"referenceRange":[${Array(100_000).fill('{"text":"0 to 1"}').join(",")}]`)} />);
    expect(said.length).toBeLessThan(10_000);
  });

  test("a hundred thousand elements, extensions too", () => {
    const many = (item: string) => Array(100_000).fill(item).join(",");
    const names = Array.from({ length: 100_000 }, (_, index) => `"n${String(index)}":1`).join(",");
    for (const more of [names, `"extension":[${many('{"url":"x","valueString":"y"}')}]`]) {
      const { container, unmount } = render(
        <WordsProvider>
          <ResourceView resource={observation(more)} />
        </WordsProvider>,
      );
      expect(container.querySelectorAll("dt").length).toBeLessThan(1000);
      unmount();
    }
  });

  test("of a narrative that is a book the beginning is shown", () => {
    const { container } = render(
      <WordsProvider>
        <Narrative html={`<div>${"<p>word <b>bold</b></p>".repeat(100_000)}</div>`} />
      </WordsProvider>,
    );
    expect(container.querySelectorAll("b").length).toBeLessThan(10_000);
    expect(container.textContent).toContain("Only its beginning is shown");
  });

  test("of a narrative without a bottom the surface is shown, and one that only looks deep is whole", () => {
    const show = (html: string) => render(<Narrative html={html} />, { wrapper: WordsProvider }).container;
    const deep = show("<div><b><i>word".repeat(33_000));
    expect(deep.querySelectorAll("div").length).toBeLessThan(200);
    expect(deep.textContent).toContain("Only its beginning is shown");
    for (const trick of ["<div><br/>", "<div/>", "<div></x>", "<DIV></P>"]) {
      expect(show(trick.repeat(20_000)).textContent, trick).toContain("Only its beginning is shown");
    }
    const flat = show(`<div>${"<p>one<br/>two<br>three<ul><li>x<li>y</ul>".repeat(400)}</div>`);
    expect(flat.textContent).not.toContain("Only its beginning is shown");
  });

  test("extensions in extensions end", () => {
    const depth = 2000;
    const nest = `${'{"url":"x","extension":['.repeat(depth)}{"url":"y","valueString":"deep"}${"]}".repeat(depth)}`;
    const { container } = render(
      <WordsProvider>
        <ResourceView resource={observation(`"extension":[${nest}]`)} />
      </WordsProvider>,
    );
    expect(container.querySelectorAll("span").length).toBeLessThan(100);
  });

  test("a number beyond measure keeps its digits", () => {
    const digits = "1234567890".repeat(40);
    expect(read(<ResourceView resource={observation(`"valueQuantity":{"value":${digits},"unit":"x"}`)} />)).toContain(digits);
    expect(read(<ResourceView resource={observation('"valueQuantity":{"value":9007199254740993,"unit":"x"}')} />).replaceAll(",", "")).toContain("9007199254740993");
    const fraction = `0.${"1234567890".repeat(40)}`;
    expect(read(<ResourceView resource={observation(`"valueQuantity":{"value":${fraction},"unit":"x"}`)} />)).toContain(fraction);
  });
});

test("what cannot be drawn is said to be there, and takes nothing else away", () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const trap = observation('"note":[{"text":"x"}]');
  Object.defineProperty(trap, "note", { enumerable: true, get: () => { throw new Error("trap"); } });
  expect(read(<ResourceView resource={trap} />)).toContain("Under JSON it is exactly as received");
  vi.restoreAllMocks();
});

test("no link leads out of the window", () => {
  stayHere();
  const click = (href: string) => {
    const link = document.createElement("a");
    link.href = href;
    document.body.append(link);
    const event = new MouseEvent("click", { bubbles: true, cancelable: true });
    // What a link does by itself is not to happen in this test.
    link.addEventListener("click", (own) => { refused = own.defaultPrevented; own.preventDefault(); });
    let refused = false;
    link.dispatchEvent(event);
    link.remove();
    return refused;
  };
  for (const elsewhere of ["https://evil.example/", "//evil.example", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "mailto:x@evil.example", "http://["]) {
    expect(click(elsewhere), elsewhere).toBe(true);
  }
  expect(click("/chart")).toBe(false);
});
