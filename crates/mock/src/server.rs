//! Starting and stopping a server.

use std::convert::Infallible;
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
use tokio_rustls::TlsAcceptor;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::auth::{self, AuthConfig, AuthState};
use crate::data::{self, Data, Incoming};
use crate::faults::{Endpoint, FaultKind};
use crate::log::RequestLogEntry;
use crate::misbehave::{self, DropConnection};
use crate::population::{self, Account};
use crate::scenario::Scenario;
use crate::state::{App, Shared};
use crate::world::{MockError, World};
use crate::{control, fhir, tls, ui};

/// A running server; it stops when this is dropped.
pub struct MockServer {
    app: App,
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
    /// Makes the population, loads what is to be loaded, and listens on 127.0.0.1.
    ///
    /// # Errors
    /// [`MockError`] when the port is taken or the data cannot be read.
    pub async fn start(world: World) -> Result<Self, MockError> {
        let listener = TcpListener::bind(("127.0.0.1", world.port))
            .await
            .map_err(|source| MockError::Listen {
                port: world.port,
                source,
            })?;
        let port = listener
            .local_addr()
            .map_err(|source| MockError::Listen {
                port: world.port,
                source,
            })?
            .port();
        let tls = world.tls.as_ref();
        let tls = tls.map(|options| tls::make(options, port)).transpose()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let origin = format!("{scheme}://127.0.0.1:{port}");
        let (incoming, mut accounts) = people(&world)?;
        let (data, warnings) = Data::new(incoming);
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        data.complete_accounts(&mut accounts);
        let auth = AuthState::new(AuthConfig {
            issuer: origin.clone(),
            fhir_base: format!("{origin}/fhir"),
            accounts: accounts.clone(),
            patient_names: data.patient_names().into_iter().collect(),
            latest: data.latest(),
            lenient: world.lenient.clone(),
            app_scheme: world.app_scheme.clone(),
            practice_approval: world.practice_approval,
            token_lifetime_seconds: world
                .quirks
                .token_lifetime
                .unwrap_or(world.token_lifetime_seconds),
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
            origin: origin.clone(),
            cursors: crate::fhir::paging::Cursors::default(),
            quirks: world.quirks.clone(),
            exports: crate::fhir::Exports::default(),
            page_size: world.page_size_default,
        });
        for planned in world.scenarios.iter().flat_map(Scenario::faults) {
            let kind = planned.fault.clone();
            app.faults
                .add(planned.endpoint, kind, planned.after, planned.times);
        }
        let router = auth::router_for_programs()
            .merge(fhir::router())
            .merge(auth::router_for_people())
            .merge(control::router())
            .merge(ui::router())
            .fallback(fhir::no_such_place)
            .method_not_allowed_fallback(fhir::not_done_here)
            .layer(middleware::from_fn_with_state(
                Arc::clone(&app),
                misbehave::around,
            ))
            .layer(cross_origin())
            .with_state(Arc::clone(&app));
        let (acceptor, ca_certificate) = match tls {
            Some(tls) => (Some(tls.acceptor), Some(tls.ca_certificate)),
            None => (None, None),
        };
        let serving = tokio::spawn(accept(listener, acceptor, router));
        Ok(Self {
            fhir_base: app.fhir_base(),
            control: format!("{origin}/_mock"),
            app,
            accounts,
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

    /// Who may sign in.
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
        self.app.faults.add(endpoint, kind, 0, times);
    }

    /// Forgets all planned faults.
    pub fn clear_faults(&self) {
        self.app.faults.clear();
    }

    /// What was asked so far.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestLogEntry> {
        self.app.log.all()
    }

    /// The switch in the portal: off ends every grant, on lets people sign in again.
    pub fn set_access(&self, enabled: bool) {
        self.app.auth.set_access(enabled);
    }

    /// Turns the server's clock by so many seconds, on or back: codes, tokens and sign-ins age.
    pub fn turn_clock(&self, seconds: i64) {
        self.app.auth.turn_clock(seconds);
    }

    /// Every access and refresh token given out, to search for leaks.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.app.auth.all_tokens()
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

fn people(world: &World) -> Result<(Vec<Incoming>, Vec<Account>), MockError> {
    let population = population::generate(world.patients, world.seed);
    let mut accounts = population.accounts;
    if world.patients == 0 {
        accounts.clear();
    }
    let mut incoming: Vec<Incoming> = population
        .resources
        .into_iter()
        .filter(|_| world.patients > 0)
        .map(Incoming::from)
        .collect();
    if let Some(directory) = &world.load {
        incoming.extend(data::read_directory(directory)?);
    }
    Ok((incoming, accounts))
}

/// Connections end with this task.
async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router) {
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
                        Some(tls) => match tls.accept(stream).await {
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
