/** What a trace looks like: a sign-in that went well, and one whose id_token is for somebody else. */
import type { TraceFlowView, TraceStepView, TraceView } from "../src/api/bindings";

const AT = "2026-11-24T10:31:12Z";

function check(number: string, title: string, outcome: TraceStepView["outcome"] = "passed"): TraceStepView {
  return { at: AT, kind: "check", title, number, outcome, status: null, milliseconds: null, failure: null, parts: [] };
}

function request(title: string, parts: TraceStepView["parts"], status = 200): TraceStepView {
  return { at: AT, kind: "request", title, number: null, outcome: status < 400 ? "passed" : "failed", status, milliseconds: 14, failure: null, parts };
}

const TOKEN = request("POST https://auth.lakeside.example/auth/token", [
  { part: "requestHeaders", label: null, size: null, fields: [{ label: "accept", value: "application/json" }], text: null },
  {
    part: "requestBody",
    label: "application/x-www-form-urlencoded",
    size: 842,
    fields: [
      { label: "grant_type", value: "authorization_code" },
      { label: "code", value: "hidden-5f0c2a11" },
      { label: "code_verifier", value: "hidden-90aa31be" },
      { label: "redirect_uri", value: "org.satchel.app:/callback/hidden-77aa01be" },
    ],
    text: null,
  },
  { part: "token", label: "client_assertion", size: null, fields: [], text: '{\n  "claims": {\n    "aud": "https://auth.lakeside.example/auth/token",\n    "jti": "hidden-31c0ffee"\n  },\n  "header": {\n    "alg": "ES384"\n  }\n}' },
  { part: "answerBody", label: "application/json", size: 1210, fields: [], text: '{\n  "access_token": "hidden-0a1b2c3d",\n  "expires_in": 3600,\n  "token_type": "Bearer"\n}' },
]);

const BACK: TraceStepView = {
  ...check("", "org.satchel.app:/callback/hidden-77aa01be?code=hidden-5f0c2a11"),
  kind: "browserCameBack",
  number: null,
  parts: [{ part: "query", label: null, size: null, fields: [{ label: "code", value: "hidden-5f0c2a11" }], text: null }],
};

function flow(id: string, kind: TraceFlowView["kind"], steps: TraceStepView[], problem: TraceFlowView["problem"] = null): TraceFlowView {
  return { id, kind, server: "auth.lakeside.example", startedAt: AT, endedAt: AT, problem, steps, leftOut: 0 };
}

export const TRACE: TraceView = {
  on: true,
  flows: [
    flow("1", "signIn", [
      request("GET https://ehr.lakeside.example/fhir/.well-known/smart-configuration", []),
      check("A8", "The smart-configuration is JSON, its endpoints are protected"),
      check("A6", "Sign-in, where there is one, offers PKCE with S256"),
    ]),
    flow("2", "signInEnd", [
      BACK,
      check("C33", "It came to the very redirect URI of this sign-in"),
      check("C34", "It comes from the issuer that was asked"),
      TOKEN,
      check("D11", "The token endpoint gives tokens for the code"),
      check("D30", "Its aud is this installation", "failed"),
    ], {
      code: "login.id_token",
      message: "The server's proof of who signed in is not valid, so nothing of this sign-in was kept.",
      advice: "Do not try again before the server's operator has looked at it.",
      detail: null,
      canRetry: false,
    }),
  ],
};
