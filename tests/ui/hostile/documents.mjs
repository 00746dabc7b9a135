/** Contents of documents: what they say they are, and what they are. RUN and URL as in markup.mjs. */
const CLINICAL = (inside, before = "") => `<?xml version="1.0"?>${before}<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xlink="http://www.w3.org/1999/xlink"><title>Summary</title><component><section><title>Allergies</title><text>${inside}</text></section></component></ClinicalDocument>`;
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="RUN"><script>RUN</script><image href="URL" xlink:href="URL"/><foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="URL"/></foreignObject></svg>`;
const HTML = `<!doctype html><base href="URL"><link rel=stylesheet href="URL"><script src="URL"></script><body onload="RUN"><script>RUN</script><img src="URL" onerror="RUN"><p>Readable</p><meta http-equiv=refresh content="0;url=URL">`;
const LAUGHS = `<!DOCTYPE x [<!ENTITY a "ha">${Array.from({ length: 30 }, (_, at) => `<!ENTITY ${"b".repeat(at + 1)} "${`&${at ? "b".repeat(at) : "a"};`.repeat(10)}">`).join("")}]>`;

/** [content type, content]; more than two: several attachments. */
export const DOCUMENTS = {
  "HTML with scripts": ["text/html", HTML],
  "HTML said to be text": ["text/plain", HTML],
  "HTML said to be an image": ["image/png", HTML],
  "HTML said to be a PDF": ["application/pdf", HTML],
  "XHTML": ["application/xhtml+xml", `<html xmlns="http://www.w3.org/1999/xhtml"><body onload="RUN"><script>RUN</script><img src="URL"/></body></html>`],
  "HTML as an archive": ["multipart/related", `Content-Location: URL\n\n${HTML}`],
  "an SVG image with scripts": ["image/svg+xml", SVG],
  "an SVG image by another name": ["IMAGE/SVG+XML; charset=utf-8", SVG],
  "an SVG said to be PNG": ["image/png", SVG],
  "a content type that ends an attribute": [`image/png" onerror="RUN`, "x"],
  "a content type that is a page": ["image/png;base64,x\"><script>RUN</script>", "x"],
  "an image that is none": ["image/jpeg", "\u0000\u0001nothing"],
  "C-CDA with entities from outside": ["application/xml", CLINICAL("&x; &y; <paragraph>Penicillin</paragraph>", `<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y SYSTEM "URL"><!ENTITY % z SYSTEM "URL"> %z;]>`)],
  "C-CDA with a style sheet": ["text/xml", CLINICAL(`<paragraph>Penicillin</paragraph>`, `<?xml-stylesheet type="text/xsl" href="URL"?>`)],
  "C-CDA with scripts in its text": ["application/hl7-cda+xml", CLINICAL(`<linkHtml href="javascript:RUN">x</linkHtml><renderMultiMedia referencedObject="URL"/><table onclick="RUN"><tr><td><script xmlns="http://www.w3.org/1999/xhtml">RUN</script></td></tr></table>`)],
  "C-CDA with HTML in its text": ["application/xml", CLINICAL(`<html xmlns="http://www.w3.org/1999/xhtml"><body onload="RUN"><script src="URL">RUN</script><img src="URL" onerror="RUN"/><iframe src="URL" onload="RUN"/><object data="URL"/><embed src="URL"/><form action="URL"><input autofocus="" onfocus="RUN"/></form><base href="URL"/><link rel="stylesheet" href="URL"/><meta http-equiv="refresh" content="0;url=URL"/></body></html>`)],
  "C-CDA with SVG and MathML in its text": ["text/xml", CLINICAL(`<paragraph>${SVG}<math xmlns="http://www.w3.org/1998/Math/MathML" href="javascript:RUN"><mtext>x</mtext></math></paragraph>`)],
  "C-CDA with styles": ["application/hl7-cda+xml", CLINICAL(`<content styleCode="Bold;background:url(URL)" style="background:url(URL);position:fixed;inset:0" class="x" id="root">x</content><style>@import url(URL);*{background:url(URL)}</style><table style="position:fixed" background="URL"><tr><td width="9999999" colspan="999999999" rowspan="-1" style="background:url(URL)" onclick="RUN">x</td></tr></table>`)],
  "C-CDA with links in all schemes": ["application/xml+cda", CLINICAL(`<linkHtml href="javascript:RUN" target="_top" ping="URL" name="__TAURI_INTERNALS__">x</linkHtml><linkHtml href="data:text/html,&lt;script&gt;RUN&lt;/script&gt;">x</linkHtml><a xmlns="http://www.w3.org/1999/xhtml" href="URL" xlink:href="javascript:RUN">x</a><renderMultiMedia referencedObject="javascript:RUN" src="URL"><caption><img src="URL"/>x</caption></renderMultiMedia>`)],
  "C-CDA with markup as text": ["text/xml", CLINICAL(`<paragraph>&lt;script&gt;RUN&lt;/script&gt;&lt;img src=URL onerror=RUN&gt;<![CDATA[<img src=URL onerror=RUN><script>RUN</script>]]></paragraph>`)],
  "C-CDA with markup in its head": ["text/xml", `<ClinicalDocument xmlns="urn:hl7-org:v3"><title>&lt;img src=URL onerror=RUN&gt;<script>RUN</script></title><effectiveTime value="&lt;script&gt;RUN&lt;/script&gt;"/><recordTarget><patientRole><patient><name><img src="URL"/>__proto__</name></patient></patientRole></recordTarget><author><assignedAuthor><assignedPerson><name>javascript:RUN</name></assignedPerson></assignedAuthor></author><component><structuredBody><component><section nullFlavor="&lt;script&gt;" ID="root"><title>constructor\u202e</title><text><br/></text></section></component></structuredBody></component></ClinicalDocument>`],
  "C-CDA with 100,000 rows": ["application/xml", CLINICAL(`<table><tbody>${"<tr><td>a</td><td>b</td></tr>".repeat(100_000)}</tbody></table>`)],
  "C-CDA with 20,000 sections": ["application/xml", CLINICAL("x").replace("<component>", "<component><section><title>s</title><text>t</text></section></component>".repeat(20_000) + "<component>")],
  "C-CDA with sections 10,000 deep": ["application/xml", CLINICAL(`x</text>${"<component><section><title>s</title>".repeat(10_000)}${"</section></component>".repeat(10_000)}<text>`)],
  "C-CDA with a file for its body": ["application/xml", CLINICAL("x").replace(/<component>.*<.component>/, `<component><nonXMLBody><text mediaType="text/html" representation="B64">PHNjcmlwdD5SVU48L3NjcmlwdD4=</text></nonXMLBody></component>`)],
  "C-CDA that is cut off": ["application/xml", CLINICAL(`<paragraph>Penicillin</paragraph><linkHtml href="javascript:RUN"><script>RUN`).slice(0, -60)],
  "C-CDA that grows": ["application/xml", CLINICAL(`&${"b".repeat(30)};`, LAUGHS)],
  "C-CDA 50,000 deep": ["application/xml", CLINICAL(`${"<list><item>".repeat(25_000)}deep`)],
  "XML that includes": ["application/xml", `<x xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/><xi:include href="URL"/></x>`],
  "RTF with objects and fields": ["application/rtf", `{\\rtf1{\\object\\objautlink\\objupdate{\\*\\objclass Word.Document.8}{\\*\\objdata 0105000002}}{\\field{\\*\\fldinst INCLUDEPICTURE "URL" \\\\d}{\\fldrslt x}}{\\field{\\*\\fldinst HYPERLINK "javascript:RUN"}{\\fldrslt <script>RUN</script>}}{\\*\\template URL} Readable}`],
  "RTF 50,000 deep": ["text/rtf", `{\\rtf1 ${"{\\b ".repeat(50_000)}deep`],
  "text with markup": ["text/plain", `<script>RUN</script><img src=URL onerror=RUN> javascript:RUN \u202etxet \u0000 \u001b]8;;URL\u0007link`],
  "text of 5 MB": ["text/plain", "a line of words <b>not bold</b>\n".repeat(160_000)],
  "text of one line of 3 MB": ["text/plain", "w".repeat(3_000_000)],
  "text said to be in a code page that is none": ["text/plain; charset=<script>RUN</script>", "\u00ff\u00fe<script>RUN</script>"],
  "a PDF that is junk": ["application/pdf", `%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>/AA<</O<</S/URI/URI(URL)>>>>>>endobj\ntrailer<</Root 1 0 R/Prev 0>>`],
  "a PDF that refers to itself": ["application/pdf", `%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 99999999/Parent 2 0 R>>endobj\nxref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000056 00000 n \ntrailer<</Size 3/Root 1 0 R>>\nstartxref\n0\n%%EOF`],
  "JavaScript": ["text/javascript", "RUN"],
  "a style sheet": ["text/css", "@import url(URL);*{background:url(URL)}"],
  "no type at all": ["", HTML],
};
