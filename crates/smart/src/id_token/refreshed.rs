//! The id_token in the answer to a refresh (OpenID Connect Core §12.2): the same person still?
//!
//! What a looseness can cost decides (checklist D34):
//!
//! - Another `sub` or `iss`: from here on the records would be another person's, filed under this
//!   one. Refused, and all tokens of the answer with it.
//! - Another `aud`: the server mixes its apps up. Refused too.
//! - No `aud`, which the SMART launcher leaves out: costs nothing, since `iss` and `sub` are there.
//!   Accepted.
//! - No id_token at all, which the standard allows: accepted.
//! - One that cannot be read: says nothing about anybody. Ignored; the first id_token, verified whole,
//!   still stands.
//! - The signature is not checked again. The answer came over TLS straight from the token endpoint
//!   (§3.1.3.7, point 6), so whoever could forge it could hand out the access token as well; and a
//!   server that rotated its keys would make an evening's sync fail for nothing. The id_token is used
//!   to refuse only: nothing in it is believed.

use super::{Audience, IdTokenClaims, IdTokenError};
use crate::secret::SecretString;
use serde::Deserialize;

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
}

/// Holds a refreshed id_token against the person of the sign-in.
pub(crate) fn check(
    id_token: &SecretString,
    who: &IdTokenClaims,
    client_id: &str,
) -> Result<(), IdTokenError> {
    let read = jsonwebtoken::dangerous::insecure_decode_claims::<Claims>(id_token.expose());
    let Ok(claims) = read else {
        tracing::info!("the id_token of a refresh cannot be read; it is ignored");
        return Ok(());
    };
    let same = |said: Option<&String>, known: &str| said.is_none_or(|said| said == known);
    if !same(claims.sub.as_ref(), &who.subject) || !same(claims.iss.as_ref(), &who.issuer) {
        return Err(IdTokenError::AnotherPerson);
    }
    let ours = match claims.aud {
        None => true,
        Some(Audience::One(one)) => one == client_id,
        Some(Audience::Many(many)) => many.iter().any(|one| one == client_id),
    };
    if ours {
        Ok(())
    } else {
        Err(IdTokenError::WrongAudience)
    }
}
