//! Starting and stopping a server.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use axum::http::{HeaderName, Method, header};
use axum::{Router, middleware};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::accounts::Accounts;
use crate::auth::{self, AuthConfig, AuthState};
use crate::clock::Clock;
use crate::data::{self, Data, Incoming, People};
use crate::faults::{Endpoint, FaultKind};
use crate::misbehave::{self, DropConnection};
use crate::population::{self, Account};
use crate::scenario::Scenario;
use crate::state::{App, Shared};
use crate::tls::TlsEnd;
use crate::world::{MockError, World};
use crate::{control, fhir, tls, ui};

/// How many of the synthetic people are listed.
const LISTED: usize = 50;

/// A running server; it stops when this is dropped.
pub struct MockServer {
    pub(crate) app: App,
    fhir_base: String,
    control: String,
    accounts: Vec<Account>,
    ca_certificate: Option<std::path::PathBuf>,
    serving: JoinHandle<()>,
}

impl std::fmt::Debug for MockServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MockServer")
            .field("fhir_base", &self.fhir_base)
            .finish_non_exhaustive()
    }
}

impl MockServer {
    /// Loads what is to be loaded, and listens: on 127.0.0.1, if the world says nothing else.
    ///
    /// # Errors
    /// [`MockError`] when the port is taken, the data cannot be read, or other machines would be let in with
    /// the well-known password.
    pub async fn start(world: World) -> Result<Self, MockError> {
        let address = world.listen.unwrap_or(Ipv4Addr::LOCALHOST.into());
        if !address.is_loopback() && world.password.is_none() {
            return Err(MockError::WellKnownPassword);
        }
        let failed = |source| MockError::Listen {
            address,
            port: world.port,
            source,
        };
        let listener = TcpListener::bind((address, world.port))
            .await
            .map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let host = world.host.clone().unwrap_or_else(|| match address {
            IpAddr::V6(address) if !address.is_unspecified() => format!("[{address}]"),
            IpAddr::V4(address) if !address.is_unspecified() => address.to_string(),
            _ => "127.0.0.1".to_owned(),
        });
        let tls = world.tls.as_ref();
        let tls = tls
            .map(|options| tls::make(options, &host, port))
            .transpose()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let origin = format!("{scheme}://{host}:{port}");
        let clock = Clock::start();
        let people = People::new(world.patients, world.seed, clock.clone());
        let (data, warnings) = Data::new(shared(&world)?, people);
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        let data = Arc::new(data);
        let accounts = Accounts::new(Arc::clone(&data), world.password.clone());
        let listed = accounts.listed(LISTED);
        let auth = AuthState::new(AuthConfig {
            issuer: origin.clone(),
            fhir_base: format!("{origin}/fhir"),
            accounts,
            clock,
            lenient: world.lenient.clone(),
            app_scheme: world.app_scheme.clone(),
            practice_approval: world.practice_approval,
            token_lifetime_seconds: world
                .quirks
                .token_lifetime
                .unwrap_or(world.token_lifetime_seconds),
            refresh_lifetime_seconds: world.refresh_lifetime_seconds,
            registration_closed: world.registration_closed || world.quirks.no_registration,
            odd_secrets: world.odd_secrets,
            policy: world.policy.clone(),
            quirks: world.quirks.clone(),
            auth_methods: world.auth_methods.clone(),
            initial_access_token: world.initial_access_token.clone(),
            software_statement_keys: world.software_statement_keys.clone(),
        });
        for client in &world.clients {
            auth.register_by_hand(client).map_err(MockError::Client)?;
        }
        let app: App = Arc::new(Shared {
            auth,
            data,
            faults: crate::faults::Faults::default(),
            log: crate::log::RequestLog::default(),
            busy: crate::log::Busy::default(),
            origin: origin.clone(),
            cursors: crate::fhir::paging::Cursors::default(),
            quirks: world.quirks.clone(),
            exports: crate::fhir::Exports::default(),
            limits: crate::fhir::Limits::default(),
            page_size: world.page_size_default,
        });
        for planned in world.scenarios.iter().flat_map(Scenario::faults) {
            planned.plan(&app.faults);
        }
        let router = router(&app);
        let (acceptor, ca_certificate) = match tls {
            Some(tls) => (Some(tls.ends), Some(tls.ca_certificate)),
            None => (None, None),
        };
        let serving = tokio::spawn(accept(listener, acceptor, router));
        Ok(Self {
            fhir_base: app.fhir_base(),
            control: format!("{origin}/_mock"),
            app,
            accounts: listed,
            ca_certificate,
            serving,
        })
    }

    /// FHIR base URL.
    #[must_use]
    pub fn fhir_base(&self) -> &str {
        &self.fhir_base
    }

    /// Issuer of the authorization server.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.app.origin
    }

    /// Base of the control API.
    #[must_use]
    pub fn control(&self) -> &str {
        &self.control
    }

    /// Who may sign in: the first fifty of the synthetic people, and everybody else.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// The authority's certificate (PEM) when the server speaks HTTPS.
    #[must_use]
    pub fn ca_certificate(&self) -> Option<&Path> {
        self.ca_certificate.as_deref()
    }

    /// Lets the next `times` requests at `endpoint` go wrong.
    pub fn fault(&self, endpoint: Endpoint, kind: FaultKind, times: u32) {
        self.app.faults.add(endpoint, kind, None, 0, times);
    }

    /// Stops listening and closes all connections.
    pub async fn stop(mut self) {
        self.serving.abort();
        drop((&mut self.serving).await);
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// All addresses, and what is around them, the outermost last.
fn router(app: &App) -> Router {
    auth::router_for_programs()
        .merge(fhir::router())
        .merge(auth::router_for_people())
        .merge(control::router())
        .merge(ui::router())
        .fallback(fhir::no_such_place)
        .method_not_allowed_fallback(fhir::not_done_here)
        .layer(middleware::from_fn_with_state(
            Arc::clone(app),
            fhir::format::around,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::clone(app),
            misbehave::around,
        ))
        .layer(cross_origin())
        .with_state(Arc::clone(app))
}

/// In-browser apps call from other origins (SMART, "CORS"). No cookie is involved, so any may; the
/// pages for people and the tester's controls are for no other origin.
fn cross_origin() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(|_, request| {
            auth::is_for_programs(request.uri.path()) || fhir::is_for_programs(request.uri.path())
        }))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::ACCEPT,
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            HeaderName::from_static("prefer"),
        ])
        .expose_headers([
            header::CONTENT_LOCATION,
            header::ETAG,
            header::LAST_MODIFIED,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            HeaderName::from_static("x-progress"),
        ])
        .max_age(std::time::Duration::from_secs(600))
}

/// What everybody shares, and what is to be loaded.
fn shared(world: &World) -> Result<Vec<Incoming>, MockError> {
    let mut incoming = Vec::new();
    if world.patients > 0 {
        let shared = population::shared_resources().into_iter();
        incoming.extend(shared.map(Incoming::from));
    }
    if let Some(directory) = &world.load {
        incoming.extend(data::read_directory(directory)?);
    }
    Ok(incoming)
}

/// Connections end with this task.
async fn accept(listener: TcpListener, tls: Option<TlsEnd>, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                drop(stream.set_nodelay(true));
                let (tls, router) = (tls.clone(), router.clone());
                connections.spawn(async move {
                    match tls {
                        None => serve(stream, router).await,
                        Some(TlsEnd::Old) => tls::answer_as_of_old(stream).await,
                        Some(TlsEnd::Today(tls)) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, router).await,
                            Err(error) => tracing::info!(%error, "a TLS handshake failed"),
                        },
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve<S>(stream: S, router: Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let inner = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |request| {
        let answering = hyper::service::Service::call(&inner, request);
        async move {
            let answer = answering
                .await
                .unwrap_or_else(|never: Infallible| match never {});
            if answer.extensions().get::<DropConnection>().is_some() {
                return Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted));
            }
            Ok(answer)
        }
    });
    let served = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}
