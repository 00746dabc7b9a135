//! How far a document may send us: addresses that only mean something on this machine or in its own
//! network are not taken from a server out in the world (checklist H10).

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// How far the URLs of a document may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses only.
    Public,
    /// This machine and its own network too: the document itself comes from there, by the person's
    /// choice.
    Anywhere,
}

impl Reach {
    /// What a document may name that was found at `source`.
    #[must_use]
    pub fn from_source(source: &Url) -> Self {
        if is_private(source) {
            Self::Anywhere
        } else {
            Self::Public
        }
    }

    /// Whether `url` is within reach.
    #[must_use]
    pub fn covers(self, url: &Url) -> bool {
        self == Self::Anywhere || !is_private(url)
    }
}

/// Names that are never looked up in the public DNS (RFC 6761, RFC 6762, RFC 8375, ICANN's
/// `internal`).
const PRIVATE_NAMES: [&str; 5] = ["localhost", "local", "home.arpa", "internal", "localdomain"];

/// Whether the URL's own text says that it is on this machine or in its network: an address that is
/// not global, or a name that is not public.
pub(crate) fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_private_v4(address),
        Some(Host::Ipv6(address)) => is_private_v6(address),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let below = |zone: &&str| {
                name.strip_suffix(*zone)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            };
            !name.contains('.') || PRIVATE_NAMES.iter().any(below)
        }
        None => true,
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    if let Some(inside) = embedded_v4(address) {
        return is_private_v4(inside);
    }
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
}

/// The IPv4 address inside a mapped (RFC 4291 §2.5.5) or translated one (RFC 6052, 6to4).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let parts = address.segments();
    let join = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match parts {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(join(high, low))
        }
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

fn is_private_ip(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

/// The system's resolver, without the answers that lead into the own network: a public name that
/// points there is not followed either.
pub(super) struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|a| !is_private_ip(a.ip())).collect();
            if public.is_empty() {
                return Err("the name has no public address".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h10_own_networks_are_told_from_the_world() {
        let private = |text: &str| is_private(&Url::parse(text).unwrap());
        for text in [
            "https://127.0.0.1/x",
            "https://127.9.9.9/x",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://0.0.0.0/x",
            "https://10.1.2.3/x",
            "https://172.16.0.1/x",
            "https://192.168.1.1/x",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/x",
            "https://[::1]/x",
            "https://[::ffff:10.0.0.1]/x",
            "https://[64:ff9b::a00:1]/x",
            "https://[fe80::1]/x",
            "https://[fd00::1]/x",
            "https://localhost/x",
            "https://a.localhost/x",
            "https://printer.local/x",
            "https://ehr.internal./x",
            "https://intranet/x",
            "file:///etc/passwd",
        ] {
            assert!(private(text), "{text}");
        }
        for text in [
            "https://ehr.example/x",
            "https://8.8.8.8/x",
            "https://172.32.0.1/x",
            "https://[2606:4700::1111]/x",
            "https://notlocal.example/x",
            "https://mylocal/x.example.org",
        ] {
            assert_eq!(private(text), text.contains("mylocal"), "{text}");
        }
    }

    #[test]
    fn h10_a_document_reaches_as_far_as_the_place_it_comes_from() {
        let url = |text: &str| Url::parse(text).unwrap();
        let inside = url("https://10.0.0.7/token");
        assert!(!Reach::from_source(&url("https://ehr.example/fhir")).covers(&inside));
        assert!(Reach::from_source(&url("http://127.0.0.1:8080/fhir")).covers(&inside));
    }
}
