//! Every request of a sign-in, and why it cannot be left out. One that is not here fails the run.

pub(crate) struct Trip {
    pub(crate) method: &'static str,
    /// How the path begins, and ends.
    pub(crate) path: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) why: &'static str,
}

pub(crate) const TRIPS: [Trip; 6] = [
    Trip {
        method: "GET",
        path: "/.well-known/smart-configuration",
        kind: "discovery",
        why: "where everything is, read anew before each sign-in (A1, A23)",
    },
    Trip {
        method: "GET",
        path: "/.well-known/openid-configuration",
        kind: "issuer",
        why: "the issuer says itself who it is, and whether it will name itself in its answer (A18, A19, C34)",
    },
    Trip {
        method: "POST",
        path: "/auth/register",
        kind: "registration",
        why: "this installation and its key, once for each server (B1, B24)",
    },
    Trip {
        method: "POST",
        path: "/auth/token",
        kind: "token",
        why: "the code or refresh token for an access token (D1, D21)",
    },
    Trip {
        method: "GET",
        path: "/auth/jwks",
        kind: "keys",
        why: "what the id_token is held against; while the token is on its way (D31)",
    },
    Trip {
        method: "POST",
        path: "/auth/introspect",
        kind: "introspection",
        why: "whether access is still on: the question that was asked (D36)",
    },
];

/// The trip that a request is.
pub(crate) fn trip_of(method: &str, path: &str) -> &'static Trip {
    TRIPS
        .iter()
        .find(|trip| trip.method == method && path.ends_with(trip.path))
        .unwrap_or_else(|| panic!("nobody said why {method} {path} is needed"))
}
