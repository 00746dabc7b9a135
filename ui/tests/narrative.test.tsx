import { render } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { WordsProvider } from "../src/i18n";
import { Narrative, sanitiseNarrative } from "../src/fhir/Narrative";

function html(given: string): string {
  const { container } = render(<Narrative html={given} />, { wrapper: WordsProvider });
  return container.innerHTML;
}

describe("a narrative may format, and nothing else", () => {
  test.each([
    ["a script", "<script>alert(1)</script>"],
    ["a handler", '<p onclick="alert(1)" onmouseover="alert(2)">x</p>'],
    ["an image", '<img src="https://evil.example/x.png" onerror="alert(1)">'],
    ["a link that runs", '<a href="javascript:alert(1)">x</a>'],
    ["a link to somewhere", '<a href="https://evil.example">x</a>'],
    ["a style that fetches", '<p style="background:url(https://evil.example/x)">x</p>'],
    ["a style sheet", "<style>@import url(https://evil.example/x.css);</style>"],
    ["a frame", '<iframe src="https://evil.example"></iframe>'],
    ["a form", '<form action="https://evil.example"><input name="x"><button>go</button></form>'],
    ["SVG", '<svg><script>alert(1)</script><animate onbegin="alert(1)" attributeName="x"/></svg>'],
    ["MathML", '<math><mtext><table><mglyph><style><img src="x" onerror="alert(1)"></style></mglyph></table></mtext></math>'],
    ["a base address", '<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example">'],
    ["names that shadow", '<p id="root" class="x" name="y" data-x="1">x</p>'],
    ["a template", "<template><script>alert(1)</script></template>"],
    ["an object", '<object data="https://evil.example"></object><embed src="https://evil.example">'],
  ])("%s does not survive", (_case, given) => {
    expect(html(`<div>${given}<b>kept</b></div>`)).not.toMatch(/script|evil|alert|style|javascript|onerror|on\w+=|<(img|svg|math|iframe|form|input|object|embed|base|meta|template)|\bid=|data-/i);
    expect(html(`<div>${given}<b>kept</b></div>`)).toContain("<b>kept</b>");
  });

  test("tables, lists and emphasis stay", () => {
    const given = '<div xmlns="http://www.w3.org/1999/xhtml"><table><tbody><tr><td colspan="2"><b>A1c</b> 7.2 %</td></tr></tbody></table><ul><li>x</li></ul></div>';
    expect(html(given)).toContain('<table><tbody><tr><td colspan="2"><b>A1c</b> 7.2 %</td></tr></tbody></table><ul><li>x</li></ul>');
  });

  test("what is no HTML stays text", () => {
    expect(sanitiseNarrative("2 < 3 & 4 > 1").textContent).toBe("2 < 3 & 4 > 1");
  });
});
