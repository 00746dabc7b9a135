//! Keys of an issuer and an id_token. Four parts: a key set, the token's header, its claims, and bytes
//! to take for a signature.

use super::{assert_plain, now, parts};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use satchel_smart::id_token::{Expected, IdTokenClaims, IdTokenError, verify_with_keys};
use satchel_smart::secret::SecretString;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A key made for these tests (P-256, PKCS 8), known to everybody who reads this.
const TEST_KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeP/ALt3dmTJ6kWMEl1ccYhY9hnIb8cVHYfEvKw73eOuhRANCAASh4mcPK43OEuX/8BP1sSC/wpYeXe+EBJhSO/7AJihpKAgPJKdcFHiouPBAfqVbVlSYOnuIMm708F6bqKCZyHMG";
const TEST_KEY_X: &str = "oeJnDyuNzhLl__AT9bEgv8KWHl3vhASYUjv-wCYoaSg";
const TEST_KEY_Y: &str = "CA8kp1wUeKi48EB-pVtWVJg6e4gybvTwXpuooJnIcwY";

const ISSUER: &str = "https://ehr.example/fhir";
const CLIENT: &str = "client-1";
const NONCE: &str = "nonce-1";

fn key() -> &'static EncodingKey {
    static MADE: OnceLock<EncodingKey> = OnceLock::new();
    MADE.get_or_init(|| EncodingKey::from_ec_der(&STANDARD.decode(TEST_KEY).unwrap()))
}

fn honest_jwk() -> Value {
    json!({"kty": "EC", "crv": "P-256", "kid": "k1", "x": TEST_KEY_X, "y": TEST_KEY_Y})
}

/// The key set of the input with the issuer's own key among its keys, if it has room for one.
fn with_honest_key(jwks: &[u8]) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(jwks).ok()?;
    let keys = document.get_mut("keys")?.as_array_mut()?;
    keys.push(honest_jwk());
    serde_json::to_vec(&document).ok()
}

fn verify(jwks: &[u8], token: &str) -> Result<IdTokenClaims, IdTokenError> {
    let expected = Expected {
        issuer: Some(ISSUER),
        client_id: CLIENT,
        nonce: NONCE,
        now: now(),
        servers_time: None,
    };
    let found = verify_with_keys(jwks, &expected, &SecretString::new(token.to_owned()));
    match &found {
        Err(IdTokenError::AlgorithmRefused(name)) => assert_plain(name, 40),
        Err(error) => assert!(!format!("{error} {error:?}").contains(NONCE)),
        Ok(_) => {}
    }
    found
}

pub(crate) fn run(data: &[u8]) -> bool {
    let [jwks, header, claims, signature] = parts::<4>(data);
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let signed = format!("{}.{}", encoded(header), encoded(claims));

    // As it came, with whatever keys came: only what is right in every other way may be taken.
    let as_it_came = format!("{signed}.{}", encoded(signature));
    if let Ok(taken) = verify(jwks, &as_it_came) {
        assert_claims(header, claims, &taken);
    }
    // A whole token in one part.
    if let Ok(token) = std::str::from_utf8(signature) {
        assert!(
            verify(&honest_set(), token).is_err(),
            "nobody but the issuer can sign"
        );
    }
    // The issuer's own keys: a signature out of thin air holds never.
    assert!(verify(&honest_set(), &as_it_came).is_err());
    // Really signed by the issuer.
    let Ok(proof) = jsonwebtoken::crypto::sign(signed.as_bytes(), key(), Algorithm::ES256) else {
        return false;
    };
    let mut was_taken = false;
    let honest = format!("{signed}.{proof}");
    for keys in [Some(honest_set()), with_honest_key(jwks)]
        .into_iter()
        .flatten()
    {
        if let Ok(taken) = verify(&keys, &honest) {
            was_taken = true;
            let header: Value = serde_json::from_slice(header).unwrap();
            assert_eq!(header["alg"], "ES256", "the signature is an ES256 one");
            assert!(header.get("crit").is_none());
            assert_claims(header.to_string().as_bytes(), claims, &taken);
            assert_spoilt_is_refused(&keys, &signed, &proof, claims);
        }
    }
    was_taken
}

fn honest_set() -> Vec<u8> {
    json!({"keys": [honest_jwk()]}).to_string().into_bytes()
}

/// Every claim, read anew.
fn assert_claims(header: &[u8], claims: &[u8], taken: &IdTokenClaims) {
    let header: Value = serde_json::from_slice(header).unwrap();
    let accepted = ["RS256", "RS384", "PS256", "ES256", "ES384"];
    let named = header["alg"].as_str().unwrap();
    assert!(accepted.contains(&named), "{named} was taken");
    // A claims set is UTF-8, whatever stands in it (RFC 7519 §7.2).
    let claims: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(claims).unwrap();
    let known = ["iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce"];
    let claims = known.map(|name| {
        let value = claims.get(name).map(|raw| serde_json::from_str(raw.get()));
        (
            name.to_owned(),
            value.transpose().unwrap().unwrap_or_default(),
        )
    });
    let claims = Value::Object(Map::from_iter(claims));
    assert_eq!(claims["iss"], ISSUER);
    assert_eq!(claims["nonce"], NONCE);
    let subject = claims["sub"].as_str().unwrap();
    assert!(!subject.is_empty() && subject.len() <= 255);
    let several = claims["aud"].as_array();
    match several {
        Some(several) => assert!(several.iter().any(|one| one == CLIENT)),
        None => assert_eq!(claims["aud"], CLIENT),
    }
    match claims["azp"].as_str() {
        Some(azp) => assert_eq!(azp, CLIENT),
        None => assert!(several.is_none_or(|several| several.len() == 1)),
    }
    let now = now().as_second() as f64;
    assert!(claims["exp"].as_f64().unwrap() > now - 60.0, "expired");
    assert!(claims["iat"].as_f64().unwrap() <= now + 60.0);
    assert!(claims["nbf"].as_f64().is_none_or(|nbf| nbf <= now + 60.0));
    assert_eq!(taken.issuer, ISSUER);
    assert_eq!(taken.subject, subject);
    assert_plain(taken.fhir_user.as_deref().unwrap_or_default(), 500);
}

/// A good token is good no more once anything about it was changed.
fn assert_spoilt_is_refused(keys: &[u8], signed: &str, proof: &str, claims: &[u8]) {
    let flipped = |text: &str, place: usize| {
        let mut bytes = text.as_bytes().to_vec();
        let place = place % bytes.len();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let place = claims.iter().map(|byte| usize::from(*byte)).sum::<usize>();
    // The last character of base64url has bits that count for nothing.
    let spoilt = flipped(&proof[..proof.len() - 1], place);
    assert!(
        verify(
            keys,
            &format!("{signed}.{spoilt}{}", &proof[proof.len() - 1..])
        )
        .is_err()
    );
    let (header, body) = signed.split_once('.').unwrap();
    assert!(verify(keys, &format!("{header}.{}.{proof}", flipped(body, place))).is_err());
    let with_header = |alg: &str| {
        let header = json!({"alg": alg, "kid": "k1"}).to_string();
        format!("{}.{body}", URL_SAFE_NO_PAD.encode(header))
    };
    for alg in ["none", "NONE", "HS256", "ES384", "RS256"] {
        let token = format!("{}.{proof}", with_header(alg));
        assert!(verify(keys, &token).is_err(), "{alg}");
    }
    assert!(verify(keys, &format!("{}.", with_header("none"))).is_err());
    assert!(verify(keys, &format!("{signed}.")).is_err());
    // A shared-secret signature with the public key for a secret.
    let secret = EncodingKey::from_secret(&URL_SAFE_NO_PAD.decode(TEST_KEY_X).unwrap());
    let message = with_header("HS256");
    let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &secret, Algorithm::HS256).unwrap();
    assert!(verify(keys, &format!("{message}.{mac}")).is_err());
    // For another login, another client, another issuer, a year later.
    let right = Expected {
        issuer: Some(ISSUER),
        client_id: CLIENT,
        nonce: NONCE,
        now: now(),
        servers_time: None,
    };
    let token = SecretString::new(format!("{signed}.{proof}"));
    for wrong in [
        Expected {
            nonce: "nonce-2",
            ..right
        },
        Expected {
            client_id: "client-3",
            ..right
        },
        Expected {
            issuer: Some("https://other.example"),
            ..right
        },
        Expected {
            issuer: None,
            ..right
        },
    ] {
        assert!(verify_with_keys(keys, &wrong, &token).is_err(), "{wrong:?}");
    }
}
