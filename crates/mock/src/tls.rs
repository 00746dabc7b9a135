//! HTTPS with a certificate authority that is made at the start and dies with the server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::world::{MockError, TlsFault, TlsOptions};

/// What serves HTTPS, and where the authority's certificate was written.
pub(crate) struct Tls {
    pub(crate) ends: TlsEnd,
    pub(crate) ca_certificate: PathBuf,
}

/// The server's end of a TLS connection.
#[derive(Clone)]
pub(crate) enum TlsEnd {
    /// TLS 1.2 and 1.3.
    Today(TlsAcceptor),
    /// TLS 1.1, which nobody should speak any more (RFC 8996).
    Old,
}

/// A `ServerHello` of TLS 1.1 (RFC 4346 §7.4.1.3): a record with the handshake message, its version, 32
/// bytes of no meaning, no session, `TLS_RSA_WITH_AES_128_CBC_SHA`, no compression.
fn old_server_hello() -> Vec<u8> {
    let mut message = vec![3, 2];
    message.extend([0x5a; 32]);
    message.extend([0, 0, 0x2f, 0]);
    let length = u8::try_from(message.len()).unwrap_or(u8::MAX);
    let mut record = vec![22, 3, 2, 0, length + 4, 2, 0, 0, length];
    record.append(&mut message);
    record
}

/// Says that only TLS 1.1 is spoken here. There is nothing to say after that: who goes on is at fault.
pub(crate) async fn answer_as_of_old(mut stream: TcpStream) {
    let mut hello = [0; 2048];
    let answered = async {
        // Whatever of the ClientHello has come is enough: the answer does not depend on it.
        if stream.read(&mut hello).await? > 0 {
            stream.write_all(&old_server_hello()).await?;
        }
        while stream.read(&mut hello).await? > 0 {}
        std::io::Result::Ok(())
    };
    if let Err(error) = answered.await {
        tracing::debug!(%error, "a connection of old ended early");
    }
}

/// Makes an authority and a certificate for `localhost`, `127.0.0.1` and `host`; TLS 1.2 and 1.3.
pub(crate) fn make(options: &TlsOptions, host: &str, port: u16) -> Result<Tls, MockError> {
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
        _ => &["localhost", "127.0.0.1", host.trim_matches(['[', ']'])],
    };
    let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    names.dedup();
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
        ends: if options.fault == Some(TlsFault::Tls11Only) {
            TlsEnd::Old
        } else {
            TlsEnd::Today(TlsAcceptor::from(Arc::new(config)))
        },
        ca_certificate,
    })
}

fn write(path: &Path, pem: &str) -> Result<(), MockError> {
    std::fs::write(path, pem).map_err(|source| MockError::Write {
        path: path.to_owned(),
        source,
    })
}
