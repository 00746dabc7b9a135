//! HTTPS with a certificate authority that is made at the start and dies with the server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::world::{MockError, TlsFault, TlsOptions};

/// What serves HTTPS, and where the authority's certificate was written.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) ca_certificate: PathBuf,
}

/// Makes an authority and a certificate for `localhost` and `127.0.0.1`; TLS 1.2 and 1.3.
pub(crate) fn make(options: &TlsOptions, port: u16) -> Result<Tls, MockError> {
    let failed = |error: &dyn std::fmt::Display| MockError::Certificates(error.to_string());
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(
        DnType::CommonName,
        "Satchel mock authority (for tests only)",
    );
    let authority_key = KeyPair::generate().map_err(|error| failed(&error))?;
    let certificate = authority
        .self_signed(&authority_key)
        .map_err(|error| failed(&error))?;
    // Another key under the same name signs what nobody vouches for.
    let signing_key = match options.fault {
        Some(TlsFault::UnknownAuthority) => KeyPair::generate().map_err(|error| failed(&error))?,
        _ => authority_key,
    };
    let issuer = Issuer::new(authority, signing_key);

    let names: &[&str] = match options.fault {
        Some(TlsFault::WrongHost) => &["elsewhere.example"],
        _ => &["localhost", "127.0.0.1"],
    };
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut leaf = CertificateParams::new(names).map_err(|error| failed(&error))?;
    if options.fault == Some(TlsFault::Expired) {
        leaf.not_before = rcgen::date_time_ymd(2019, 1, 1);
        leaf.not_after = rcgen::date_time_ymd(2020, 1, 1);
    }
    leaf.distinguished_name
        .push(DnType::CommonName, "Satchel mock server");
    leaf.use_authority_key_identifier_extension = true;
    let leaf_key = KeyPair::generate().map_err(|error| failed(&error))?;
    let leaf = leaf
        .signed_by(&leaf_key, &issuer)
        .map_err(|error| failed(&error))?;

    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .map_err(|error| failed(&error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let ca_certificate = match &options.ca_out {
        Some(path) => path.clone(),
        // One process may have several servers, each with an authority of its own.
        None => {
            std::env::temp_dir().join(format!("satchel-mock-ca-{}-{port}.pem", std::process::id()))
        }
    };
    write(&ca_certificate, &certificate.pem())?;
    Ok(Tls {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        ca_certificate,
    })
}

fn write(path: &Path, pem: &str) -> Result<(), MockError> {
    std::fs::write(path, pem).map_err(|source| MockError::Write {
        path: path.to_owned(),
        source,
    })
}
