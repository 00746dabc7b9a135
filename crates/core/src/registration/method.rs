//! How this installation proves itself, chosen from what the server says (checklist A13).

use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::keys::SigningAlgorithm;

/// How the client proves itself, in the words of RFC 7591 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthMethod {
    PrivateKeyJwt(SigningAlgorithm),
    ClientSecretBasic,
    ClientSecretPost,
    None,
}

impl AuthMethod {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::PrivateKeyJwt(_) => "private_key_jwt",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }
}

/// The strongest method that the server takes: a key, then a secret, then none but PKCE. A server that
/// lists nothing is asked by its capabilities; a key needs an algorithm that both sides have.
pub(super) fn choose_auth_method(configuration: &SmartConfiguration) -> AuthMethod {
    let methods = &configuration.token_endpoint_auth_methods;
    let takes = |method: &str, capability: &str| {
        if methods.is_empty() {
            configuration.supports(capability)
        } else {
            methods.iter().any(|listed| listed == method)
        }
    };
    if takes("private_key_jwt", "client-confidential-asymmetric")
        && let Some(algorithm) = choose_algorithm(configuration)
    {
        AuthMethod::PrivateKeyJwt(algorithm)
    } else if takes("client_secret_basic", "client-confidential-symmetric") {
        AuthMethod::ClientSecretBasic
    } else if takes("client_secret_post", "") {
        AuthMethod::ClientSecretPost
    } else {
        AuthMethod::None
    }
}

/// ES384 before RS384: smaller and quicker. A server that lists none must know both (SMART App Launch
/// 2.2, "Client authentication: asymmetric").
fn choose_algorithm(configuration: &SmartConfiguration) -> Option<SigningAlgorithm> {
    let listed = &configuration.token_endpoint_auth_signing_algs;
    [SigningAlgorithm::ES384, SigningAlgorithm::RS384]
        .into_iter()
        .find(|ours| listed.is_empty() || listed.iter().any(|name| name == ours.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn configuration(
        methods: &[&str],
        algorithms: &[&str],
        capability: &str,
    ) -> SmartConfiguration {
        serde_json::from_value(serde_json::json!({
            "issuer": null, "jwks_uri": null, "authorization_endpoint": null,
            "token_endpoint": "https://ehr.example/token", "registration_endpoint": null,
            "revocation_endpoint": null, "introspection_endpoint": null, "management_endpoint": null,
            "scopes_supported": [], "capabilities": [capability], "token_endpoint_auth_methods": methods,
            "token_endpoint_auth_signing_algs": algorithms, "grant_types": [],
            "code_challenge_methods": ["S256"], "iss_parameter_supported": false, "raw": "{}",
        }))
        .unwrap()
    }

    const ES: AuthMethod = AuthMethod::PrivateKeyJwt(SigningAlgorithm::ES384);
    const RS: AuthMethod = AuthMethod::PrivateKeyJwt(SigningAlgorithm::RS384);

    #[rstest]
    #[case::all(&["none", "client_secret_post", "client_secret_basic", "private_key_jwt"], &["RS384", "ES384"], "", ES)]
    #[case::rsa_only(&["private_key_jwt"], &["RS256", "RS384"], "", RS)]
    #[case::no_algorithm_of_ours(&["private_key_jwt", "client_secret_post"], &["RS256"], "", AuthMethod::ClientSecretPost)]
    #[case::basic_first(&["client_secret_post", "client_secret_basic"], &[], "", AuthMethod::ClientSecretBasic)]
    #[case::post(&["none", "client_secret_post"], &[], "", AuthMethod::ClientSecretPost)]
    #[case::public(&["none"], &[], "client-confidential-asymmetric", AuthMethod::None)]
    #[case::asymmetric_by_capability(&[], &[], "client-confidential-asymmetric", ES)]
    #[case::symmetric_by_capability(&[], &[], "client-confidential-symmetric", AuthMethod::ClientSecretBasic)]
    #[case::public_by_capability(&[], &[], "client-public", AuthMethod::None)]
    #[case::nothing_we_know(&["tls_client_auth"], &[], "", AuthMethod::None)]
    fn b3_a13_the_strongest_method_that_both_have(
        #[case] methods: &[&str],
        #[case] algorithms: &[&str],
        #[case] capability: &str,
        #[case] expected: AuthMethod,
    ) {
        let found = choose_auth_method(&configuration(methods, algorithms, capability));
        assert_eq!(found, expected);
    }
}
