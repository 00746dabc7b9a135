/** Contents of made-up documents. */
import type { AttachmentView, ClinicalDocumentView, NarrativeCell, NarrativeNode } from "../src/api/bindings";

const NOTE = `Annual check-up, 20 November 2026

Ada feels well. She walks most days. Blood pressure at home is between 128 and 138.

Plan
1. Go on with lisinopril 10 mg in the morning.
2. Repeat the laboratory tests in three months.
3. Come back in one year, or earlier when the readings at home stay above 140.`;

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const text = (words: string): NarrativeNode => ({ kind: "text", text: words });
const bold = (words: string): NarrativeNode => ({ kind: "styled", style: "bold", children: [text(words)] });
const paragraph = (...children: NarrativeNode[]): NarrativeNode => ({ kind: "paragraph", children });
const list = (ordered: boolean, ...items: string[]): NarrativeNode => ({ kind: "list", ordered, caption: [], items: items.map((item) => [text(item)]) });
const cell = (words: string, heading = false): NarrativeCell => ({ heading, columns: 1, rows: 1, children: words === "" ? [] : [text(words)] });
const table = (head: string[], body: string[][], caption = ""): NarrativeNode => ({
  kind: "table",
  caption: caption === "" ? [] : [text(caption)],
  head: [head.map((words) => cell(words, true))],
  body: body.map((row) => row.map((words) => cell(words))),
});

const RESULTS = Array.from({ length: 240 }, (_, index) => {
  const [name, value, range] = [["Haemoglobin A1c", "6.4 %", "4.0 – 5.6"], ["Creatinine [Mass/volume] in Serum or Plasma", "0.92 mg/dL", "0.60 – 1.10"], ["Potassium", "4.4 mmol/L", "3.5 – 5.1"], ["Cholesterol in LDL", "118 mg/dL", "0 – 100"]][index % 4]!;
  return [name!, value!, range!, `${String(2026 - Math.floor(index / 24))}-${String(11 - (Math.floor(index / 4) % 6) * 2 + 1).padStart(2, "0")}-03`, index % 4 === 3 ? "High" : ""];
});

export const CLINICAL: ClinicalDocumentView = {
  title: "Continuity of Care Document",
  date: "2026-11-19T15:10:00-06:00",
  patient: "Ada Marie Lindqvist",
  authors: ["Dr. Samuel Okafor, MD", "Lakeside Records 7.2"],
  custodian: "Lakeside Family Clinic",
  cut: false,
  sections: [
    { title: "Allergies and adverse reactions", absent: null, sections: [], content: [table(["Substance", "Reaction", "Severity", "Status"], [["Penicillin", "Hives, swollen lips", "Moderate", "Active"], ["Latex", "Itching", "Mild", "Active"]])] },
    { title: "Medications", absent: null, sections: [], content: [list(false, "Lisinopril 10 mg by mouth every morning", "Metformin 500 mg by mouth twice a day with meals")] },
    { title: "Results", absent: null, sections: [], content: [table(["Test", "Result", "Reference range", "Date", "Flag"], RESULTS, "Laboratory results of the last ten years")] },
    {
      title: "Assessment and plan",
      absent: null,
      content: [paragraph(bold("High blood pressure. "), text("Readings at home are between 128 and 138, which is "), { kind: "styled", style: "italics", children: [text("better than in the clinic")] }, text("."))],
      sections: [
        { title: "Plan of treatment", absent: null, sections: [], content: [list(true, "Go on with lisinopril 10 mg in the morning.", "Repeat the laboratory tests in three months.", "Come back in one year.")] },
        { title: "Instructions", absent: null, sections: [], content: [paragraph(text("Bring the readings of two weeks to the next visit."), { kind: "break" }, text("Call when they stay above 140."))] },
      ],
    },
    { title: "Procedures", absent: "No information", sections: [], content: [] },
    { title: null, absent: null, sections: [], content: [{ kind: "media", caption: [text("Electrocardiogram of 20 November 2026")] }] },
  ],
};

const LETTER = `<!doctype html><html><head><title>Referral</title><meta charset="utf-8"><style>p { color: red }</style></head><body>
<h1>Letter of referral</h1><p>Dear colleague,</p>
<p>thank you for seeing <b>Ada Marie Lindqvist</b>, born 14 March 1961, about her <em>high blood pressure</em>.</p>
<h3>What was found</h3><table border="1"><tr><th>Measured</th><th>At home</th><th>In the clinic</th></tr><tr><td>Systolic</td><td>128 – 138 mmHg</td><td>148 mmHg</td></tr><tr><td>Diastolic</td><td>78 – 82 mmHg</td><td>84 mmHg</td></tr></table>
<h3>What is asked</h3><ol><li>A measurement over 24 hours</li><li>An ultrasound of the heart</li></ol>
<blockquote>She has had hives from penicillin.</blockquote><p>With kind regards<br>Samuel Okafor, <a href="https://lakeside.example">Lakeside Family Clinic</a><img src="https://lakeside.example/pixel.gif" alt=""></p></body></html>`;

const here: AttachmentView = { contentType: "text/plain", title: null, text: null, clinical: null, html: null, size: 0, base64: null, missing: null, tooLarge: false, canFetch: false, difference: null };

const ATTACHMENTS: Record<string, AttachmentView[]> = {
  doc1: [
    { ...here, title: "Progress note", text: NOTE, size: NOTE.length },
    { ...here, contentType: "application/pdf", title: "Scan of the old file", size: 32_505_856, missing: "Not fetched: this document is larger than what Satchel fetches by itself.", tooLarge: true, canFetch: true },
    { ...here, contentType: "image/png", title: "Picture of the wound", size: 70, base64: PIXEL },
  ],
  doc3: [{ ...here, contentType: "application/xml", text: "Continuity of Care Document", clinical: CLINICAL, size: 96_210 }],
  doc4: [{ ...here, contentType: "text/html", title: "Letter of referral", text: "Letter of referral", html: LETTER, size: LETTER.length }],
};

export function attachmentsOf(id: string): AttachmentView[] {
  return ATTACHMENTS[id] ?? [{ ...here, contentType: "application/pdf", size: 184_320 }];
}
