// npm fhirclient and better-sqlite3: the searches of the pull, page after page, into a table that is neither
// encrypted nor indexed for search. Reads {base, token, searches, database} as JSON from standard input, so
// that no token stands in the process list; writes {records, seconds}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const Database = require("better-sqlite3");
const smart = require("fhirclient");

const { base, token, searches, database } = JSON.parse(readFileSync(0, "utf8"));
const begun = performance.now();
const db = new Database(database);
db.pragma("journal_mode = wal");
db.pragma("synchronous = normal");
db.exec("CREATE TABLE records (type TEXT, id TEXT, json TEXT, PRIMARY KEY (type, id)) WITHOUT ROWID");
const insert = db.prepare("INSERT OR REPLACE INTO records VALUES (?, ?, ?)");
const store = db.transaction((resources) => {
  for (const one of resources) insert.run(one.resourceType, one.id, JSON.stringify(one));
});
const request = { headers: {}, url: "/", protocol: "http" };
const client = smart(request, {}, { get() {}, set() {}, unset() {} }).client({ serverUrl: base, tokenResponse: { access_token: token } });

// As many in flight as in the pull.
const waiting = [...searches];
const worker = async () => {
  for (let search = waiting.shift(); search !== undefined; search = waiting.shift()) {
    await client.request(search, {
      pageLimit: 0,
      onPage: (bundle) => store((bundle.entry ?? []).map((entry) => entry.resource).filter((one) => one.resourceType !== "OperationOutcome")),
    });
  }
};
await Promise.all([worker(), worker(), worker(), worker()]);
db.pragma("wal_checkpoint(TRUNCATE)");
const seconds = (performance.now() - begun) / 1000;
const { records } = db.prepare("SELECT count(*) AS records FROM records").get();
console.log(JSON.stringify({ records, seconds }));
