/**
 * Records by what is odd about them. RUN and URL as in markup.mjs; each gets an id and a patient from
 * corpus.mjs, unless it brings its own. A string is JSON as it is sent, with ID and SUBJECT to be filled in.
 */

const concept = (text) => ({ text });
const LAB = [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "laboratory" }] }];
const observation = (more) => ({ resourceType: "Observation", status: "final", category: LAB, code: concept("Sodium"), ...more });
const condition = (more) => ({ resourceType: "Condition", code: concept("Asthma"), ...more });
const raw = (more, type = "Observation") => `{"resourceType":"${type}","id":"ID","subject":SUBJECT,"code":{"text":"Sodium"},${more}}`;

/** Everything at once that a string may be mistaken for. */
const EVIL = `x"'><script>RUN</script><img src=x onerror="RUN"><img src="URL"><svg onload="RUN"></svg><style>@import url(URL);*{background:url(URL)}</style><iframe srcdoc="<script>RUN</script>"></iframe><a href="javascript:RUN">x</a>{{constructor.constructor('RUN')()}}\${RUN}`;

/** Where a server may put a string that a person is shown. */
export const PLACES = {
  "Condition.code.text": condition({ code: concept(EVIL) }),
  "Condition.code.coding": condition({ code: { coding: [{ system: EVIL, version: EVIL, code: EVIL, display: EVIL }] } }),
  "Condition.clinicalStatus": condition({ clinicalStatus: concept(EVIL), verificationStatus: { coding: [{ code: EVIL }] }, severity: concept(EVIL) }),
  "Condition.note": condition({ note: [{ text: EVIL, authorString: EVIL, time: EVIL }] }),
  "Condition.identifier": condition({ identifier: [{ use: EVIL, system: EVIL, value: EVIL, type: concept(EVIL), assigner: { display: EVIL } }] }),
  "Condition.recorder": condition({ recorder: { reference: EVIL, type: EVIL, display: EVIL }, asserter: { reference: "Practitioner/none", display: EVIL } }),
  "Condition.onsetString": condition({ onsetString: EVIL, abatementString: EVIL, recordedDate: EVIL }),
  "Condition.extension": condition({ extension: [{ url: EVIL, valueString: EVIL }, { url: "javascript:RUN", valueUrl: "javascript:RUN" }], modifierExtension: [{ url: EVIL, valueCode: EVIL }] }),
  "Condition.contained": condition({ contained: [{ resourceType: EVIL, id: EVIL, name: EVIL }, { resourceType: "Practitioner", id: "p", name: [{ family: EVIL }] }], asserter: { reference: "#p" } }),
  "Condition.meta": condition({ meta: { versionId: EVIL, lastUpdated: EVIL, source: EVIL, profile: [EVIL], security: [{ code: EVIL, display: EVIL }], tag: [{ display: EVIL }] } }),
  "Condition.language": condition({ language: EVIL, implicitRules: EVIL, text: { status: EVIL, div: EVIL } }),
  "Condition.id": { ...condition({}), id: `"><img src=x onerror=RUN>` },
  "Condition.id that is a path": { ...condition({}), id: "../../javascript:RUN?#%2e%2e" },
  "names of elements": condition({ [EVIL]: "x", "<script>RUN</script>": { "<img src=x onerror=RUN>": EVIL }, 'x" onload="RUN': 1 }),
  "Observation.value": observation({ valueString: EVIL }),
  "Observation.valueQuantity": observation({ valueQuantity: { value: 5, comparator: EVIL, unit: EVIL, system: EVIL, code: EVIL } }),
  "Observation.status": observation({ status: EVIL, issued: EVIL, effectiveDateTime: EVIL }),
  "Observation.interpretation": observation({ interpretation: [concept(EVIL)], referenceRange: [{ text: EVIL, appliesTo: [concept(EVIL)] }] }),
  "Observation.component": observation({ component: [{ code: concept(EVIL), valueString: EVIL, dataAbsentReason: concept(EVIL) }] }),
  "Observation.dataAbsentReason": observation({ dataAbsentReason: concept(EVIL), method: concept(EVIL), device: { display: EVIL }, performer: [{ display: EVIL }] }),
  "DocumentReference.attachment": { resourceType: "DocumentReference", description: EVIL, author: [{ display: EVIL }], content: [{ attachment: { title: EVIL, contentType: EVIL, url: EVIL, hash: EVIL, language: EVIL, creation: EVIL } }] },
  "DocumentReference.url": { resourceType: "DocumentReference", description: "x", content: [{ attachment: { contentType: "text/html", url: "URL" } }, { attachment: { contentType: "text/html", url: "javascript:RUN" } }, { attachment: { contentType: "image/png", url: "data:text/html,<script>RUN</script>" } }] },
  "DiagnosticReport.conclusion": { resourceType: "DiagnosticReport", category: LAB, code: concept("Panel"), conclusion: EVIL, presentedForm: [{ contentType: "text/html", title: EVIL, data: "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==" }] },
  "MedicationRequest.dosageInstruction": { resourceType: "MedicationRequest", status: EVIL, intent: EVIL, medicationCodeableConcept: concept(EVIL), dosageInstruction: [{ text: EVIL, patientInstruction: EVIL, route: concept(EVIL) }] },
  "AllergyIntolerance.reaction": { resourceType: "AllergyIntolerance", code: concept(EVIL), criticality: EVIL, category: [EVIL], reaction: [{ manifestation: [concept(EVIL)], description: EVIL, severity: EVIL }] },
  "Immunization.lotNumber": { resourceType: "Immunization", status: EVIL, vaccineCode: concept(EVIL), lotNumber: EVIL, manufacturer: { display: EVIL }, site: concept(EVIL) },
  "Procedure.reasonCode": { resourceType: "Procedure", status: EVIL, code: concept(EVIL), reasonCode: [concept(EVIL)], performer: [{ actor: { display: EVIL }, function: concept(EVIL) }] },
  "Encounter.location": { resourceType: "Encounter", status: EVIL, class: { code: EVIL, display: EVIL }, type: [concept(EVIL)], location: [{ location: { display: EVIL } }], serviceProvider: { display: EVIL } },
  "CarePlan.title": { resourceType: "CarePlan", title: EVIL, description: EVIL, activity: [{ detail: { description: EVIL, status: EVIL } }] },
  "Goal.description": { resourceType: "Goal", lifecycleStatus: EVIL, description: concept(EVIL), target: [{ detailString: EVIL }] },
  "CareTeam.name": { resourceType: "CareTeam", name: EVIL, participant: [{ member: { display: EVIL }, role: [concept(EVIL)] }] },
  "FamilyMemberHistory.name": { resourceType: "FamilyMemberHistory", name: EVIL, relationship: concept(EVIL), condition: [{ code: concept(EVIL) }] },
  "QuestionnaireResponse.item": { resourceType: "QuestionnaireResponse", questionnaire: EVIL, item: [{ linkId: EVIL, text: EVIL, answer: [{ valueString: EVIL }, { valueUri: "javascript:RUN" }] }] },
  "Coverage.payor": { resourceType: "Coverage", subscriberId: EVIL, payor: [{ display: EVIL }], type: concept(EVIL), class: [{ name: EVIL, value: EVIL }] },
  "RelatedPerson.name": { resourceType: "RelatedPerson", name: [{ text: EVIL }], relationship: [concept(EVIL)], telecom: [{ system: "url", value: "javascript:RUN" }, { system: "email", value: EVIL }], address: [{ text: EVIL, line: [EVIL], city: EVIL }], photo: [{ url: "URL", contentType: "image/png" }] },
  "Device.deviceName": { resourceType: "Device", deviceName: [{ name: EVIL }], type: concept(EVIL), url: "javascript:RUN", udiCarrier: [{ carrierHRF: EVIL }] },
  "ServiceRequest.code": { resourceType: "ServiceRequest", status: EVIL, intent: EVIL, code: concept(EVIL), patientInstruction: EVIL },
};

const many = (count, item) => Array(count).fill(item).join(",");
const nest = (depth, open, inside, close) => open.repeat(depth) + inside + close.repeat(depth);

/** Too much of something. */
export const AMOUNTS = {
  "a narrative of 5 MB": () => condition({ text: { status: "generated", div: `<div>${"<p>word <b>bold</b> <img src=x onerror='RUN'></p>".repeat(100_000)}</div>` } }),
  "a narrative of one word of 2 MB": () => condition({ text: { status: "generated", div: `<div>${"x".repeat(2_000_000)}</div>` } }),
  "a narrative of 100,000 open elements": () => condition({ text: { status: "generated", div: "<div><b><i>".repeat(33_000) } }),
  "a title of 1 MB": () => condition({ code: concept(`long ${"word ".repeat(200_000)}`) }),
  "a title of one word of 1 MB": () => condition({ code: concept("w".repeat(1_000_000)) }),
  "a note of 5 MB": () => condition({ note: [{ text: `${"a line of words\n".repeat(320_000)}` }] }),
  "sampled data of 100,000 points": () => observation({ valueSampledData: { origin: { value: 0 }, period: 10, dimensions: 1, data: Array.from({ length: 100_000 }, (_, at) => at % 97).join(" ") } }),
  "100,000 components": () => raw(`"component":[${many(100_000, '{"code":{"text":"point"},"valueQuantity":{"value":1.5,"unit":"mV"}}')}]`),
  "100,000 elements": () => raw(Array.from({ length: 100_000 }, (_, at) => `"e${at}":1`).join(",")),
  "100,000 codings": () => raw(`"bodySite":{"coding":[${many(100_000, '{"system":"urn:x","code":"c","display":"d"}')}]}`),
  "10,000 contained records": () => raw(`"contained":[${many(10_000, '{"resourceType":"Practitioner","id":"p"}')}]`),
  "extensions 500 deep": () => raw(`"extension":[${nest(500, '{"url":"u","extension":[', '{"url":"v","valueString":"deep"}', "]}")}]`),
  "lists 5,000 deep": () => raw(`"note":${nest(5000, "[", '"deep"', "]")}`),
  "objects 20,000 deep": () => raw(`"method":${nest(20_000, '{"text":', '"deep"', "}")}`),
  "contained in contained": () => raw(nest(100, '"contained":[{"resourceType":"Condition","id":"c",', '"code":{"text":"deep"}', "}]")),
};

const BIDI = "abc \u202egnp.exe\u202c \u2066isolated \u2067rtl \u202afirst \u202bsecond \u202doverride";
const ZALGO = `Z${"\u0301\u0327\u0489".repeat(120)}a${"\u0310".repeat(200)}lgo`;

/** Text that does not read as it is written. */
export const TEXTS = {
  "the direction turned": () => condition({ code: concept(BIDI), note: [{ text: BIDI }], recorder: { display: BIDI }, clinicalStatus: concept(BIDI) }),
  "the direction turned in a value": () => observation({ valueQuantity: { value: 120, unit: `mg\u202e Lm 0001\u2069\u2069` }, referenceRange: [{ text: BIDI }] }),
  "letters that are not seen": () => condition({ code: concept("As\u200bth\u2060ma\ufeff\u00ad\u180e\u2800") }),
  "nothing but letters that are not seen": () => condition({ code: concept("\u200b\u2060\ufeff\u202e") }),
  "towers of accents": () => condition({ code: concept(ZALGO), note: [{ text: ZALGO.repeat(20) }] }),
  "NUL and controls": () => condition({ code: concept("a\u0000b\u0007c\u001b[31md\u009b31m\u007f\u0008\u000b") , note: [{ text: "\u0000" }] }),
  "halves of letters": () => raw(`"note":[{"text":"\\ud800 and \\udfff"}],"valueString":"\\udc00\\ud800"`),
  "half a letter as a name": () => raw(`"note":[{"\\udfff":"y","text":"z"}]`),
  "letters of every plane": () => condition({ code: concept("\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u{e0041}\u{f0000}\u{10ffff}\ufffe\uffff\ufdd0") }),
  "line and paragraph separators": () => condition({ code: concept("a\u2028b\u2029c\u0085d\r\ne\tf") }),
  "entities and templates": () => condition({ code: concept("&lt;script&gt; &amp;lt; {title} {0} %s ${x} {{y}} <b>bold</b> '{'") , note: [{ text: "{count, plural, other {#}} <x>{y}</x>" }] }),
  "commands and formulas": () => condition({ code: concept("=cmd|'/C calc'!A0 $(touch /tmp/x) `id` ; DROP TABLE resources;-- \" OR 1=1") }),
};

/** Names that every object has, and others of JSON's own traps. */
export const NAMES = {
  // In brackets: otherwise it would be the list's own prototype.
  ["__proto__"]: () => raw(`"__proto__":{"polluted":"yes","isAdmin":true},"note":[{"__proto__":{"text":"from above","polluted":"yes"}}]`),
  "constructor": () => raw(`"constructor":{"prototype":{"polluted":"yes"}},"note":[{"constructor":"x","text":"y"}]`),
  "toString and valueOf": () => raw(`"toString":"x","valueOf":1,"toJSON":"y","hasOwnProperty":null,"isPrototypeOf":[1],"toLocaleString":{}`),
  "then, length and Symbol": () => raw(`"then":"x","length":-1,"size":1e9,"Symbol(iterator)":"x","$$typeof":"react.element","ref":"x","key":"y","props":{"dangerouslySetInnerHTML":{"__html":"<img src=x onerror=RUN>"}},"type":"script"`),
  "dangerouslySetInnerHTML": () => condition({ dangerouslySetInnerHTML: { __html: "<img src=x onerror=RUN>" }, style: "background:url(URL)", href: "javascript:RUN", src: "URL", srcDoc: "<script>RUN</script>", onLoad: "RUN" }),
  "the same name twice": () => raw(`"note":[{"text":"one"}],"note":[{"text":"two"}],"valueString":"a","valueString":"b"`),
  "names that are empty or long": () => raw(`"":"empty"," ":"space","${"n".repeat(100_000)}":"long","a\\u0000b":"nul","\u202e":"turned"`),
  "names of places in the window": () => raw(`"children":"x","_code":{"extension":"x"},"_note":[null,{"id":"x"}],"__typename":"x"`),
};

/** Dates and numbers that are none. */
export const NUMBERS = {
  "a day that is none": () => observation({ effectiveDateTime: "2024-13-45", issued: "2024-02-30T25:61:61Z" }),
  "year 0": () => observation({ effectiveDateTime: "0000" }),
  "year 99999": () => observation({ effectiveDateTime: "99999-01-01", issued: "+275760-09-13T00:00:00Z" }),
  "yesterday": () => observation({ effectiveDateTime: "yesterday" }),
  "a date of another kind": () => raw(`"effectiveDateTime":1e400,"issued":{"x":1}`),
  "a period that ends before it begins": () => observation({ effectivePeriod: { start: "2030-01-01", end: "1066-10-14" } }),
  "a period of nonsense": () => observation({ effectivePeriod: { start: "never", end: "-1" } }),
  "1e999": () => raw(`"valueQuantity":{"value":1e999,"unit":"g"}`),
  "-1e999 and -0": () => raw(`"valueQuantity":{"value":-0,"unit":"g"},"referenceRange":[{"low":{"value":-1e999},"high":{"value":1e-999}}]`),
  "400 digits": () => raw(`"valueQuantity":{"value":${"1234567890".repeat(40)},"unit":"g"}`),
  "400 decimals": () => raw(`"valueQuantity":{"value":0.${"1234567890".repeat(40)},"unit":"g"}`),
  "100,000 digits": () => raw(`"valueQuantity":{"value":${"9".repeat(100_000)},"unit":"g"}`),
  "NaN as text": () => observation({ valueQuantity: { value: "NaN", unit: "Infinity" }, referenceRange: [{ low: { value: "-Infinity" } }] }),
  "sizes beyond measure": () => raw(`"content":[{"attachment":{"contentType":"text/plain","size":1e308,"title":"t"}},{"attachment":{"size":-1,"title":"u"}}]`, "DocumentReference"),
};

/** Not what it should be. */
export const SHAPES = {
  "nothing but type, id and whose it is": () => `{"resourceType":"Observation","id":"ID","for":SUBJECT}`,
  "everything null": () => raw(`"code":null,"status":null,"category":null,"valueQuantity":null,"note":null,"text":null,"meta":null,"contained":null,"extension":null`),
  "everything empty": () => raw(`"status":"","category":[],"valueQuantity":{},"note":[{}],"text":{},"meta":{},"contained":[],"extension":[{}],"identifier":[]`),
  "objects where text is expected": () => raw(`"status":{},"valueString":{"a":{}},"issued":{"b":[]},"note":[{"text":{"c":"d"}}],"text":{"div":{"e":1}},"language":{"f":1}`),
  "lists where objects are expected": () => raw(`"valueQuantity":[[1],[2]],"category":[[[]]],"text":[["x"]],"meta":[1],"performer":[[{"display":"x"}]]`),
  "text where objects are expected": () => raw(`"valueQuantity":"5 mg","category":"lab","text":"<img src=x onerror=RUN>","meta":"x","note":"n","extension":"e","contained":"c","identifier":"i"`),
  "numbers where text is expected": () => raw(`"status":1,"language":2,"valueString":3,"issued":4,"note":[{"text":5}],"text":{"div":6},"identifier":[{"value":7,"system":8}]`),
  "true where lists are expected": () => raw(`"category":true,"note":false,"component":true,"extension":true,"contained":false,"referenceRange":true,"interpretation":true`),
  "a code that is everything": () => `{"resourceType":"Condition","id":"ID","subject":SUBJECT,"code":[{"text":["a",{"b":1}],"coding":{"code":{"x":1},"display":[1]}}],"clinicalStatus":"active"}`,
  "lists in lists in lists": () => raw(`"note":[[[[{"text":"x"}]]],null,[null],"s",1,true]`),
  "nulls between": () => raw(`"component":[null,{"code":{"text":"a"}},null,[],{}],"referenceRange":[null],"interpretation":[null,null],"performer":[null]`),
  "every choice of a value at once": () => raw(`"valueString":"s","valueQuantity":{"value":1},"valueBoolean":true,"valueInteger":2,"valueRange":{},"valueRatio":{"numerator":{}},"valuePeriod":{},"valueSampledData":{"data":[1,2]},"valueTime":"x","valueCodeableConcept":[]`),
  "a reference to itself": () => raw(`"hasMember":[{"reference":"Observation/ID"}],"derivedFrom":[{"reference":"Observation/ID"},{"reference":"#"},{"reference":"#ID"}]`),
  "an extension of data that is absent": () => raw(`"_status":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"<script>RUN</script>"}]},"_note":"x"`),
};
