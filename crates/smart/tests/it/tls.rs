//! Certificates and TLS versions (RFC 9325): there is no way around any of them.

use crate::support::policy;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use satchel_smart::discovery::{DiscoveryError, discover};
use satchel_smart::http::{FhirBaseUrl, HttpClient, HttpError, HttpPolicy};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self {
            issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap(),
        }
    }

    /// A server for `name` on localhost; gives its port.
    async fn serve(&self, name: &str, change: impl Fn(&mut CertificateParams)) -> u16 {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let private = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private.into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        let mut request = [0; 4096];
                        let _ = stream.read(&mut request).await;
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await;
                        let _ = stream.shutdown().await;
                    }
                });
            }
        });
        port
    }

    fn trusting_client(&self, der: bool) -> HttpClient {
        let certificate = if der {
            self.issuer.der().to_vec()
        } else {
            self.issuer.pem().into_bytes()
        };
        HttpClient::new(HttpPolicy {
            extra_root_certificates: vec![certificate],
            ..policy()
        })
        .unwrap()
    }
}

async fn ask(http: &HttpClient, port: u16) -> DiscoveryError {
    let base = FhirBaseUrl::parse(&format!("https://localhost:{port}/fhir"), &policy()).unwrap();
    discover(http, &base).await.unwrap_err()
}

#[tokio::test]
async fn a9_a_certificate_of_a_trusted_local_authority_is_taken_in_pem_and_der() {
    let authority = Authority::new();
    let port = authority.serve("localhost", |_| {}).await;
    for der in [false, true] {
        let error = ask(&authority.trusting_client(der), port).await;
        assert!(
            matches!(error, DiscoveryError::MissingEndpoint { .. }),
            "TLS was fine: {error:?}"
        );
    }
}

#[tokio::test]
async fn a9_h11_unknown_authority_wrong_host_and_expiry_are_refused() {
    let authority = Authority::new();
    let trusting = authority.trusting_client(false);
    let port = authority.serve("localhost", |_| {}).await;
    let stranger = HttpClient::new(policy()).unwrap();
    assert!(matches!(
        ask(&stranger, port).await,
        DiscoveryError::Http(HttpError::Tls { .. })
    ));
    let port = authority.serve("other.example", |_| {}).await;
    assert!(matches!(
        ask(&trusting, port).await,
        DiscoveryError::Http(HttpError::Tls { .. })
    ));
    let port = authority
        .serve("localhost", |params| {
            params.not_after = date_time_ymd(2020, 1, 1)
        })
        .await;
    assert!(matches!(
        ask(&trusting, port).await,
        DiscoveryError::Http(HttpError::Tls { .. })
    ));
}

#[tokio::test]
async fn a9_a_server_that_only_speaks_tls_1_1_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut hello = [0; 4096];
            let _ = stream.read(&mut hello).await;
            // A fatal alert in a TLS 1.1 record: protocol_version.
            let _ = stream
                .write_all(&[0x15, 0x03, 0x02, 0x00, 0x02, 0x02, 0x46])
                .await;
        }
    });
    let error = ask(&HttpClient::new(policy()).unwrap(), port).await;
    assert!(
        matches!(error, DiscoveryError::Http(HttpError::Tls { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a9_a_plain_http_server_where_https_is_due_is_refused() {
    let server = crate::support::Server::start().await;
    let error = ask(
        &HttpClient::new(policy()).unwrap(),
        server.mock.address().port(),
    )
    .await;
    assert!(
        matches!(error, DiscoveryError::Http(HttpError::Tls { .. })),
        "{error:?}"
    );
}
