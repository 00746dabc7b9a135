//! Who asks, and what they may see.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use axum::response::Response;

use super::answer;
use super::query::is_meant;
use crate::auth::AccessGrant;
use crate::auth::scopes::{self, Access, Reach};
use crate::context::passed;
use crate::data::Stored;
use crate::state::App;

/// Whoever holds the access token of a request.
#[derive(Clone)]
pub(super) struct Viewer {
    pub(super) grant: AccessGrant,
    app: App,
}

impl Viewer {
    /// From the `Authorization` header (RFC 6750, 2.1); else the refusal to send.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the answer, which is made once per request"
    )]
    pub(super) fn of(app: &App, headers: &HeaderMap) -> Result<Viewer, Response> {
        let value = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let Some((scheme, token)) = value.and_then(|value| value.split_once(' ')) else {
            return Err(answer::unauthorized(false));
        };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(answer::unauthorized(false));
        }
        match app.auth.check_bearer(token.trim()) {
            Some(grant) => {
                passed("RFC 6750 §2.1: the access token is valid");
                Ok(Viewer {
                    grant,
                    app: Arc::clone(app),
                })
            }
            None => Err(answer::unauthorized(true)),
        }
    }

    /// How far the token reaches in a type; `interaction` is `r` or `s`. `None`: not at all.
    pub(super) fn access(&self, kind: &str, interaction: char) -> Option<Vec<Reach>> {
        let reach = scopes::allows(&self.grant.scopes, kind, interaction);
        (!reach.is_empty()).then_some(reach)
    }

    /// Whether the resource is within reach.
    pub(super) fn sees(&self, reach: &[Reach], resource: &Stored) -> bool {
        reach.iter().any(|one| {
            let whose = match (one.access, &self.grant.patient) {
                (Access::All, _) => self.is_of_the_practice(resource),
                (Access::PatientOnly, Some(patient)) => resource.is_visible_to(patient),
                (Access::PatientOnly, None) => false,
            };
            let categories = &resource.fields.category;
            let kind = one
                .category
                .as_deref()
                .is_none_or(|wanted| categories.iter().any(|token| is_meant(wanted, token)));
            whose && kind
        })
    }

    /// Whoever works at a practice sees its patients only; a service sees all.
    fn is_of_the_practice(&self, resource: &Stored) -> bool {
        let Some(practice) = &self.grant.practice else {
            return true;
        };
        let owners = &resource.fields.patients;
        let accounts = self.app.auth.accounts();
        owners.is_empty()
            || owners
                .iter()
                .any(|one| &accounts.practice_of(one) == practice)
    }

    /// Whether the resource may come along with a search of other things.
    pub(super) fn may_include(&self, resource: &Stored) -> bool {
        let kind = &resource.resource_type;
        let access = self.access(kind, 'r').or_else(|| self.access(kind, 's'));
        access.is_some_and(|access| self.sees(&access, resource))
    }
}
