/** npm openid-client (certified by the OpenID Foundation) against the mock server. */
import assert from "node:assert/strict";
import { generateKeyPairSync, webcrypto } from "node:crypto";
import { after, before, test } from "node:test";
import * as client from "openid-client";
import { signIn, startMock } from "./mock.mjs";

const REDIRECT = "org.example.interop:/callback";
const insecure = { execute: [client.allowInsecureRequests] };

/** A key made on this machine, as WebCrypto and as a JWK for registration. */
async function makeKey(kid) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const key = await webcrypto.subtle.importKey("jwk", privateKey.export({ format: "jwk" }), { name: "ECDSA", namedCurve: "P-384" }, false, ["sign"]);
  return { key: { key, kid }, jwk: { ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "ES384" } };
}

/** SMART wants the token endpoint as audience, where openid-client names the issuer. */
function forTokenEndpoint(key, issuer) {
  return client.PrivateKeyJwt(key, { [client.modifyAssertion]: (_header, payload) => { payload.aud = `${issuer}/auth/token`; } });
}

let mock;
before(async () => { mock = await startMock(); });
after(() => mock.stop());

async function register(metadata) {
  const { key, jwk } = await makeKey("interop-1");
  return client.dynamicClientRegistration(
    new URL(mock.issuer),
    { token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [jwk] }, ...metadata },
    forTokenEndpoint(key, mock.issuer),
    insecure,
  );
}

test("an app registers its key, signs a person in, refreshes, introspects, revokes", async () => {
  const config = await register({
    client_name: "openid-client", redirect_uris: [REDIRECT], response_types: ["code"],
    grant_types: ["authorization_code", "refresh_token"],
  });
  const server = config.serverMetadata();
  assert.equal(server.issuer, mock.issuer);

  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT, scope: "openid fhirUser launch/patient offline_access patient/*.rs",
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: "S256",
    state: expectedState, nonce: expectedNonce, aud: mock.fhir_base,
  });
  const patient = mock.account("patient");
  const callback = new URL(await signIn(url, patient));
  const tokens = await client.authorizationCodeGrant(config, callback, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true });
  assert.equal(tokens.patient, patient.patient_ids[0]);
  assert.equal(tokens.claims().iss, mock.issuer);
  assert.ok(tokens.claims().fhirUser.startsWith(mock.fhir_base));

  const chart = await fetch(`${mock.fhir_base}/Patient/${tokens.patient}`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  assert.equal((await chart.json()).id, tokens.patient);

  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
  const known = await client.tokenIntrospection(config, refreshed.access_token);
  assert.equal(known.active, true);
  assert.equal(known.patient, tokens.patient);

  await client.tokenRevocation(config, refreshed.refresh_token);
  const after = await client.tokenIntrospection(config, refreshed.access_token);
  assert.deepEqual({ ...after }, { active: false });
  await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token), { error: "invalid_grant" });
});

test("a backend service gets a token by its key", async () => {
  const config = await register({ client_name: "a service", redirect_uris: [], response_types: [], grant_types: ["client_credentials"] });
  const tokens = await client.clientCredentialsGrant(config, { scope: "system/*.rs" });
  const answer = await fetch(`${mock.fhir_base}/Patient`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  assert.equal((await answer.json()).total, 2);
});

test("an assertion for the issuer is refused, unless that looseness is switched on", async () => {
  const ask = async (server) => {
    const { key, jwk } = await makeKey("interop-2");
    const metadata = { token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [jwk] }, redirect_uris: [], response_types: [], grant_types: ["client_credentials"] };
    const config = await client.dynamicClientRegistration(new URL(server.issuer), metadata, client.PrivateKeyJwt(key), insecure);
    return client.clientCredentialsGrant(config, { scope: "system/*.rs" });
  };
  await assert.rejects(ask(mock), { error: "invalid_client" });
  const lenient = await startMock("--lenient", "assertion-for-issuer");
  try {
    assert.ok((await ask(lenient)).access_token);
  } finally {
    lenient.stop();
  }
});
