//! Trying again with less: servers differ in the redirect URIs and metadata that they take.

use super::{
    ClientInformation, ClientMetadata, RegistrationError, RegistrationErrorCode, register_client,
};
use crate::http::HttpClient;
use crate::secret::SecretString;
use url::Url;

const MAX_TRIES: usize = 4;

/// Registers, and where the server refuses the redirect URIs (`invalid_redirect_uri`) tries https
/// only, then loopback only, then the private-use scheme only (RFC 8252 §7 knows these three); where
/// it refuses the metadata (`invalid_client_metadata`) first without `application_type`, then without
/// `software_*`. Four tries at most.
///
/// # Errors
/// The last [`RegistrationError`].
pub async fn register_client_with_ladder(
    http: &HttpClient,
    endpoint: &Url,
    metadata: &ClientMetadata,
    initial_access_token: Option<&SecretString>,
) -> Result<ClientInformation, RegistrationError> {
    let mut ladder = Ladder::new(metadata);
    let mut tries = 1;
    loop {
        let error =
            match register_client(http, endpoint, &ladder.metadata, initial_access_token).await {
                Ok(information) => return Ok(information),
                Err(error) => error,
            };
        if tries == MAX_TRIES || !ladder.step_down(&error) {
            return Err(error);
        }
        tries += 1;
        tracing::info!(
            %error,
            tries,
            redirect_uris = ladder.metadata.redirect_uris.len(),
            "registration is tried again with less"
        );
    }
}

struct Ladder<'a> {
    asked: &'a ClientMetadata,
    metadata: ClientMetadata,
    redirects: std::vec::IntoIter<fn(&str) -> bool>,
}

impl<'a> Ladder<'a> {
    fn new(asked: &'a ClientMetadata) -> Self {
        let kinds: Vec<fn(&str) -> bool> = vec![is_https, is_loopback_redirect, is_private_scheme];
        Self {
            asked,
            metadata: asked.clone(),
            redirects: kinds.into_iter(),
        }
    }

    /// Leaves out the next thing; `false` when there is none.
    fn step_down(&mut self, error: &RegistrationError) -> bool {
        match error {
            RegistrationError::Refused {
                error: RegistrationErrorCode::InvalidRedirectUri,
                ..
            } => self.fewer_redirects(),
            RegistrationError::Refused {
                error: RegistrationErrorCode::InvalidClientMetadata,
                ..
            } => self.less_metadata(),
            _ => false,
        }
    }

    fn fewer_redirects(&mut self) -> bool {
        for allowed in self.redirects.by_ref() {
            let all = self.asked.redirect_uris.iter();
            let kept: Vec<String> = all.filter(|uri| allowed(uri)).cloned().collect();
            if !kept.is_empty() && kept != self.metadata.redirect_uris {
                self.metadata.redirect_uris = kept;
                return true;
            }
        }
        false
    }

    fn less_metadata(&mut self) -> bool {
        // Some servers take an https address only (OpenID Connect Dynamic Registration §2 names no other),
        // and only scopes that they list, where `launch` is not: without either no portal there opens the
        // app, and the sign-in from the app works all the same.
        let launch = &mut self.metadata.initiate_login_uri;
        if launch.take_if(|uri| !is_https(uri)).is_some() {
            self.metadata.scope = None;
            return true;
        }
        if self.metadata.application_type.take().is_some() {
            return true;
        }
        let id = self.metadata.software_id.take();
        let version = self.metadata.software_version.take();
        id.is_some() || version.is_some() || self.metadata.scope.take().is_some()
    }
}

fn is_https(uri: &str) -> bool {
    uri.starts_with("https://")
}

fn is_loopback_redirect(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| url.scheme() == "http" && crate::http::is_loopback(&url))
}

fn is_private_scheme(uri: &str) -> bool {
    !is_https(uri) && !uri.starts_with("http://")
}
