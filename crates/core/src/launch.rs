//! A portal or an EHR opens Satchel with `iss` and `launch` (SMART App Launch 2.2, "Launch from EHR").
//!
//! Any program and any web page can open such a link. So a server that this profile never registered
//! with is named to the person first, and nothing is sent there before they say yes (checklist C11).
//! A server that it knows begins a sign-in at once: the worst that a false link can do there is to
//! open the sign-in page of a portal that the person uses anyway, and even that only a few times a
//! minute. A link never makes a backend service (checklist E15): there is no launch address for one.

use crate::connection::ConnectionState;
use crate::engine::{Engine, lock};
use crate::identity::AppIdentity;
use crate::login::{Begin, LoginOptions, StartedLogin, state_of};
use crate::problem::{Problem, ProblemCode, Result};
use crate::trace::{TraceKind, problem_of};
use crate::view::{Event, LaunchRequestView, Role};
use satchel_smart::launch::LaunchRequest;
use satchel_store::ConnectionRow;
use url::Url;

/// Portals give a launch a few minutes; a question of yesterday helps nobody.
const LIFETIME_SECONDS: i64 = 300;
/// More questions than this are not kept: the oldest goes.
const MOST_WAITING: usize = 3;
/// So many sign-ins may links begin by themselves in a minute; further ones ask.
const MOST_A_MINUTE: usize = 3;

/// Launches that wait for the person, and when the last ones began by themselves. In memory only: a
/// launch is worthless after a restart.
#[derive(Debug, Default)]
pub(crate) struct Launches {
    waiting: Vec<Waiting>,
    begun_at: Vec<i64>,
}

#[derive(Clone, Debug)]
struct Waiting {
    view: LaunchRequestView,
    request: LaunchRequest,
    arrived_at: i64,
}

/// What a launch link led to.
#[derive(Clone, Debug)]
pub enum LaunchReceived {
    /// The server is known: a sign-in was begun, and the caller opens the browser.
    Started(StartedLogin),
    /// It is not: the person is asked first. Nothing was sent to the server.
    Asked(LaunchRequestView),
}

impl AppIdentity {
    /// Where a portal opens this app (`initiate_login_uri`); one for each role, since a registration
    /// is for one role and a launch does not say which. A service is not launched.
    #[must_use]
    pub fn launch_uri(&self, role: Role) -> Option<String> {
        let (Role::Patient | Role::Provider) = role else {
            return None;
        };
        let role = role.as_str();
        Some(match &self.initiate_login_uri {
            Some(uri) => format!("{}/{role}", uri.trim_end_matches('/')),
            None => format!("{}:/launch/{role}", self.redirect_scheme),
        })
    }

    /// For whom a link launches this app, when it is a launch link at all. The short form without a
    /// role is the patient's.
    #[must_use]
    pub fn launched_role(&self, link: &str) -> Option<Role> {
        let url = Url::parse(link.trim()).ok()?;
        if self.initiate_login_uri.is_some() {
            let mut bare = url.clone();
            bare.set_query(None);
            bare.set_fragment(None);
            let claimed = [Role::Patient, Role::Provider]
                .into_iter()
                .find(|role| self.launch_uri(*role).as_deref() == Some(bare.as_str()));
            if claimed.is_some() {
                return claimed;
            }
        }
        let ours = url.scheme() == self.redirect_scheme && !url.has_authority();
        match (ours, url.path()) {
            (true, "/launch" | "/launch/patient") => Some(Role::Patient),
            (true, "/launch/provider") => Some(Role::Provider),
            _ => None,
        }
    }
}

impl Engine {
    /// Whether a link is a launch rather than the answer to a sign-in. Nothing about it is checked.
    #[must_use]
    pub fn is_launch(&self, link: &str) -> bool {
        self.inner.identity.launched_role(link).is_some()
    }

    /// Takes a launch link from the operating system, or from a person.
    ///
    /// # Errors
    /// `launch.bad_link`; for a server that is known also those of [`Engine::login_begin`].
    pub async fn launch_received(
        &self,
        link: &str,
        options: &LoginOptions,
    ) -> Result<LaunchReceived> {
        let role = self
            .inner
            .identity
            .launched_role(link)
            .ok_or_else(|| Problem::new(ProblemCode::LaunchBadLink))?;
        let request = LaunchRequest::parse(link, &self.inner.policy)?;
        let known = self
            .inner
            .store
            .registration_get(request.fhir_base.as_str(), role.as_str())
            .await?
            .is_some();
        if known && self.may_begin_by_itself() {
            let started = self.begin_launch(request, role, options).await?;
            return Ok(LaunchReceived::Started(started));
        }
        Ok(LaunchReceived::Asked(self.ask(request, role, known)))
    }

    /// Tells the window of a launch that came to nothing, so that nobody waits for a browser.
    pub fn launch_failed(&self, problem: &Problem) {
        self.emit(Event::LoginFailed {
            connection_id: None,
            problem: problem.view(),
        });
    }

    /// Launches that wait for the person's yes.
    #[must_use]
    pub fn launches_pending(&self) -> Vec<LaunchRequestView> {
        let oldest = self.now().as_second().saturating_sub(LIFETIME_SECONDS);
        let mut launches = lock(&self.inner.launches);
        launches.waiting.retain(|one| one.arrived_at >= oldest);
        launches
            .waiting
            .iter()
            .map(|one| one.view.clone())
            .collect()
    }

    /// The person says yes: the sign-in begins, and the caller opens the browser.
    ///
    /// # Errors
    /// `launch.unknown` when it waits no longer; those of [`Engine::login_begin`].
    pub async fn launch_accept(&self, id: &str, options: &LoginOptions) -> Result<StartedLogin> {
        let in_time = self.launches_pending().iter().any(|one| one.id == id);
        let taken = self.take_launch(id).filter(|_| in_time);
        let waiting = taken.ok_or_else(|| Problem::new(ProblemCode::LaunchUnknown))?;
        self.begin_launch(waiting.request, waiting.view.role, options)
            .await
    }

    /// The person says no: it is forgotten.
    pub fn launch_refuse(&self, id: &str) {
        self.take_launch(id);
    }

    fn take_launch(&self, id: &str) -> Option<Waiting> {
        let taken = {
            let mut launches = lock(&self.inner.launches);
            let place = launches.waiting.iter().position(|one| one.view.id == id)?;
            launches.waiting.remove(place)
        };
        self.emit(Event::LaunchesChanged);
        Some(taken)
    }

    fn may_begin_by_itself(&self) -> bool {
        let now = self.now().as_second();
        let mut launches = lock(&self.inner.launches);
        launches.begun_at.retain(|at| now.saturating_sub(*at) < 60);
        let may = launches.begun_at.len() < MOST_A_MINUTE;
        if may {
            launches.begun_at.push(now);
        }
        may
    }

    /// One question for each server: a second link replaces the first.
    fn ask(&self, request: LaunchRequest, role: Role, known: bool) -> LaunchRequestView {
        let mut bytes = [0_u8; 16];
        self.inner.random.fill(&mut bytes);
        let url = Url::parse(request.fhir_base.as_str()).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        let view = LaunchRequestView {
            id: uuid::Builder::from_random_bytes(bytes)
                .into_uuid()
                .to_string(),
            host: url
                .as_ref()
                .and_then(Url::port)
                .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
            fhir_base: request.fhir_base.as_str().to_owned(),
            role,
            known,
        };
        let waiting = Waiting {
            view: view.clone(),
            request,
            arrived_at: self.now().as_second(),
        };
        {
            let mut launches = lock(&self.inner.launches);
            launches
                .waiting
                .retain(|one| one.view.fhir_base != view.fhir_base);
            if launches.waiting.len() >= MOST_WAITING {
                launches.waiting.remove(0);
            }
            launches.waiting.push(waiting);
        }
        self.emit(Event::LaunchesChanged);
        view
    }

    async fn begin_launch(
        &self,
        request: LaunchRequest,
        role: Role,
        options: &LoginOptions,
    ) -> Result<StartedLogin> {
        let work = self.begin_launched(request, role, options);
        self.traced(TraceKind::SignIn, problem_of, work).await
    }

    async fn begin_launched(
        &self,
        request: LaunchRequest,
        role: Role,
        options: &LoginOptions,
    ) -> Result<StartedLogin> {
        self.check_profile(role).await?;
        let (base, configuration) = self.discover(request.fhir_base.as_str()).await?;
        let options = LoginOptions {
            role,
            ..options.clone()
        };
        let connection = match self.idle_connection(base.as_str(), role).await? {
            Some(connection) => connection,
            None => self.new_connection(&base, role).await?,
        };
        self.begin(Begin {
            connection,
            base: &base,
            configuration,
            options: &options,
            launch: Some(request.launch),
        })
        .await
    }

    /// A connection that nobody uses: never one whose login waits in the browser, so that a launch
    /// and a sign-in under way stay two (checklist C12).
    async fn idle_connection(&self, base: &str, role: Role) -> Result<Option<ConnectionRow>> {
        let connections = self.inner.store.connections_list().await?;
        Ok(connections.into_iter().find(|row| {
            row.fhir_base == base
                && row.role == role.as_str()
                && state_of(row) == ConnectionState::New
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c31_only_the_exact_launch_addresses_are_launches() {
        let identity = AppIdentity::default();
        for (link, expected) in [
            (
                "org.satchel.app:/launch?iss=x&launch=y",
                Some(Role::Patient),
            ),
            ("org.satchel.app:/launch/patient?iss=x", Some(Role::Patient)),
            ("org.satchel.app:/launch/provider", Some(Role::Provider)),
            ("org.satchel.app:/launch/backend?iss=x&launch=y", None),
            ("org.satchel.app:/launch/patient/?iss=x", None),
            ("org.satchel.app://launch/patient?iss=x", None),
            ("org.satchel.app:/callback/abc?code=x", None),
            ("https://evil.example/launch?iss=x", None),
            ("launch", None),
        ] {
            assert_eq!(identity.launched_role(link), expected, "{link}");
        }
        for role in [Role::Patient, Role::Provider] {
            let uri = identity.launch_uri(role).unwrap();
            assert_eq!(identity.launched_role(&uri), Some(role));
        }
    }

    #[test]
    fn b12_a_publisher_may_have_portals_open_an_address_of_its_own() {
        let identity = AppIdentity {
            initiate_login_uri: Some("https://other.example/launch/".into()),
            ..AppIdentity::default()
        };
        let uri = identity.launch_uri(Role::Provider).unwrap();
        assert_eq!(uri, "https://other.example/launch/provider");
        let link = format!("{uri}?iss=https%3A%2F%2Fehr.example&launch=x");
        assert_eq!(identity.launched_role(&link), Some(Role::Provider));
        let elsewhere = "https://other.example/launch/providers?iss=x";
        assert_eq!(identity.launched_role(elsewhere), None);
    }

    #[test]
    fn e15_a_backend_service_has_no_launch_address() {
        assert_eq!(AppIdentity::default().launch_uri(Role::Backend), None);
    }
}
