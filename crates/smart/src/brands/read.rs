//! Organizations and Endpoints into brands: the references between them are followed here.

use super::entries::{Entry, Members};
use super::{
    Brand, BrandBundle, BrandEndpoint, BrandIdentifier, BrandsError, Logo, LogoSource, Place,
    Portal, Skipped,
};
use crate::http::{FhirBaseUrl, FhirBaseUrlError, HttpClient, Reach};
use crate::text::plain;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use url::Url;

/// A longer name is no name.
const MAX_NAME: usize = 300;
/// Aliases, places, portals and endpoints of one brand beyond this many are left out.
const MAX_PARTS: usize = 50;

pub(super) fn bundle(
    bytes: &[u8],
    http: &HttpClient,
    reach: Reach,
) -> Result<BrandBundle, BrandsError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if start == Some(&b'<') {
        return Err(BrandsError::Html);
    }
    let members: Members = serde_json::from_slice(bytes).map_err(|error| {
        if error.is_data() {
            BrandsError::NotABundle {
                found: plain(&error.to_string(), 200),
            }
        } else {
            BrandsError::NotJson(plain(&error.to_string(), 200))
        }
    })?;
    if members.resource_type.as_deref() != Some("Bundle") {
        let found = members.resource_type.unwrap_or_default();
        return Err(BrandsError::NotABundle {
            found: plain(&found, 60),
        });
    }
    let mut reading = Reading {
        http,
        reach,
        skipped: BTreeMap::new(),
    };
    reading.add(Skipped::NotABrand, members.others);
    reading.add(Skipped::TooMany, members.too_many);
    let brands = reading.brands(members.organizations, members.endpoints);
    Ok(BrandBundle {
        timestamp: members.timestamp,
        brands,
        skipped: reading.skipped,
    })
}

struct Reading<'a> {
    http: &'a HttpClient,
    reach: Reach,
    skipped: BTreeMap<Skipped, u64>,
}

/// What an Organization says, before references are followed.
struct Draft {
    brand: Brand,
    part_of: Option<String>,
}

impl Reading<'_> {
    fn add(&mut self, reason: Skipped, count: u64) {
        if count > 0 {
            *self.skipped.entry(reason).or_default() += count;
        }
    }

    fn brands(&mut self, organizations: Vec<Entry>, endpoints: Vec<Entry>) -> Vec<Brand> {
        let mut addresses = HashMap::new();
        for entry in &endpoints {
            if let Some(endpoint) = self.endpoint(&entry.resource) {
                for name in names_of(entry, "Endpoint") {
                    addresses.insert(name, endpoint.clone());
                }
            }
        }
        let mut drafts = Vec::new();
        let mut by_name = HashMap::new();
        for entry in organizations {
            if let Some(draft) = self.organization(&entry, &addresses) {
                for name in names_of(&entry, "Organization") {
                    by_name.insert(name, drafts.len());
                }
                drafts.push(draft);
            }
        }
        let inherited: Vec<Option<usize>> = drafts
            .iter()
            .map(|draft| by_name.get(draft.part_of.as_deref()?).copied())
            .collect();
        let mut brands = Vec::with_capacity(drafts.len());
        for (index, above) in inherited.into_iter().enumerate() {
            let Some(mut brand) = drafts.get(index).map(|draft| draft.brand.clone()) else {
                continue;
            };
            // One step up: the chain of "access provided by" is no longer than that.
            if let Some(above) = above.and_then(|above| drafts.get(above)) {
                inherit(&mut brand, &above.brand);
            }
            if brand.endpoints.is_empty() {
                self.add(Skipped::NoEndpoint, 1);
            }
            brands.push(brand);
        }
        brands
    }

    fn endpoint(&mut self, resource: &Value) -> Option<BrandEndpoint> {
        let member = |name: &str| resource.get(name).and_then(Value::as_str);
        if member("status").is_some_and(|status| status != "active") {
            self.add(Skipped::EndpointOff, 1);
            return None;
        }
        let kind = resource
            .get("connectionType")
            .and_then(|kind| kind.get("code"));
        let fhir = kind
            .and_then(Value::as_str)
            .is_none_or(|kind| kind == "hl7-fhir-rest");
        if !fhir || !speaks_r4(resource) {
            self.add(Skipped::OtherVersion, 1);
            return None;
        }
        let address = member("address").unwrap_or_default();
        let checked = FhirBaseUrl::parse(address, self.http.policy());
        let scheme_given = address
            .trim_start()
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("http"));
        match checked {
            Ok(base) if !scheme_given => {
                tracing::debug!(%base, "an endpoint without a scheme");
                self.add(Skipped::BadAddress, 1);
                None
            }
            Ok(base) if !self.reach.covers(base.url()) => {
                self.add(Skipped::PrivateAddress, 1);
                None
            }
            Ok(address) => Some(BrandEndpoint {
                name: member("name").map(|name| plain(name, MAX_NAME)),
                address,
            }),
            Err(error) => {
                let insecure = error == FhirBaseUrlError::NotHttps;
                tracing::debug!(insecure, "an endpoint's address cannot be used");
                self.add(Skipped::BadAddress, 1);
                None
            }
        }
    }

    fn organization(
        &mut self,
        entry: &Entry,
        addresses: &HashMap<String, BrandEndpoint>,
    ) -> Option<Draft> {
        let resource = &entry.resource;
        if resource.get("active") == Some(&Value::Bool(false)) {
            self.add(Skipped::Inactive, 1);
            return None;
        }
        let name = resource.get("name").and_then(Value::as_str).unwrap_or("");
        let name_fits = name.len() <= MAX_NAME * 4;
        let name = if name_fits {
            plain(name, MAX_NAME)
        } else {
            String::new()
        };
        if name.is_empty() {
            self.add(Skipped::NoName, 1);
            return None;
        }
        let (portals, endpoints) = portals_and_endpoints(entry, addresses);
        let part_of = resource
            .pointer("/partOf/reference")
            .and_then(text_of)
            .map(|reference| absolute(&reference, entry, "Organization"));
        Some(Draft {
            brand: Brand {
                name,
                aliases: list(resource, "alias")
                    .filter_map(Value::as_str)
                    .filter(|alias| alias.len() <= MAX_NAME * 4)
                    .map(|alias| plain(alias, MAX_NAME))
                    .take(MAX_PARTS)
                    .collect(),
                identifiers: list(resource, "identifier")
                    .filter_map(identifier)
                    .take(MAX_PARTS)
                    .collect(),
                website: website(resource),
                places: places(resource),
                logo: self.logo(resource),
                portals,
                endpoints,
            },
            part_of,
        })
    }

    fn logo(&self, resource: &Value) -> Option<Logo> {
        let brand = extensions(resource, "organization-brand").next()?;
        let source = LogoSource::parse(value_of(brand, "brandLogo")?)?;
        if let LogoSource::Remote(url) = &source
            && (self.http.check(url).is_err() || !self.reach.covers(url))
        {
            return None;
        }
        let license = value_of(brand, "brandLogoLicense").and_then(web_url);
        Some(Logo { source, license })
    }
}

/// The portals, and the endpoints that the brand or one of its portals names.
fn portals_and_endpoints(
    entry: &Entry,
    addresses: &HashMap<String, BrandEndpoint>,
) -> (Vec<Portal>, Vec<BrandEndpoint>) {
    let resource = &entry.resource;
    let mut portals = Vec::new();
    let mut references: Vec<String> = list(resource, "endpoint")
        .filter_map(|reference| reference.get("reference").and_then(text_of))
        .collect();
    for portal in extensions(resource, "organization-portal").take(MAX_PARTS) {
        portals.push(Portal {
            name: value_of(portal, "portalName").map(|name| plain(name, MAX_NAME)),
            url: value_of(portal, "portalUrl").and_then(web_url),
        });
        references.extend(
            list(portal, "extension")
                .filter(|part| is_named(part, "portalEndpoint"))
                .filter_map(|part| part.pointer("/valueReference/reference"))
                .filter_map(text_of),
        );
    }
    let mut endpoints = Vec::new();
    for reference in references {
        if let Some(endpoint) = find(&reference, entry, "Endpoint", addresses)
            && !endpoints.contains(endpoint)
            && endpoints.len() < MAX_PARTS
        {
            endpoints.push(endpoint.clone());
        }
    }
    (portals, endpoints)
}

/// What a brand has not itself, it has from the one that it is part of.
fn inherit(brand: &mut Brand, above: &Brand) {
    if brand.endpoints.is_empty() {
        brand.endpoints.clone_from(&above.endpoints);
    }
    if brand.portals.is_empty() {
        brand.portals.clone_from(&above.portals);
    }
    if brand.logo.is_none() {
        brand.logo.clone_from(&above.logo);
    }
}

/// R4 by `endpoint-fhir-version`; an endpoint that does not say is asked later.
fn speaks_r4(resource: &Value) -> bool {
    let mut versions = extensions(resource, "endpoint-fhir-version")
        .filter_map(|extension| extension.get("valueCode").and_then(Value::as_str))
        .peekable();
    versions.peek().is_none() || versions.any(|version| version.starts_with("4.0"))
}

pub(super) fn identifier(value: &Value) -> Option<BrandIdentifier> {
    let text = value.get("value")?.as_str()?;
    if text.is_empty() || text.len() > 2048 {
        return None;
    }
    Some(BrandIdentifier {
        system: value.get("system").and_then(text_of),
        value: text.to_owned(),
    })
}

fn website(resource: &Value) -> Option<Url> {
    list(resource, "telecom")
        .filter(|contact| contact.get("system").and_then(Value::as_str) == Some("url"))
        .filter_map(|contact| contact.get("value").and_then(Value::as_str))
        .find_map(web_url)
}

fn places(resource: &Value) -> Vec<Place> {
    let own = list(resource, "address");
    let contacts = list(resource, "contact").filter_map(|contact| contact.get("address"));
    own.chain(contacts)
        .map(|address| {
            let part = |name: &str| {
                let text = address.get(name).and_then(Value::as_str);
                plain(text.unwrap_or_default(), 100)
            };
            Place {
                city: part("city"),
                state: part("state"),
                postal_code: part("postalCode"),
            }
        })
        .filter(|place| *place != Place::default())
        .take(MAX_PARTS)
        .collect()
}

/// A link to show or to open: http or https, with a host.
fn web_url(text: &str) -> Option<Url> {
    if text.len() > 2048 {
        return None;
    }
    let url = Url::parse(text.trim()).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "https" | "http") && plain && url.has_host()).then_some(url)
}

fn text_of(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Extensions by the last part of their URL: the guide's own and FHIR's extension pack differ in the
/// part before it.
fn extensions<'a>(resource: &'a Value, name: &'static str) -> impl Iterator<Item = &'a Value> {
    list(resource, "extension").filter(move |extension| is_named(extension, name))
}

fn is_named(extension: &Value, name: &str) -> bool {
    let url = extension.get("url").and_then(Value::as_str);
    url.is_some_and(|url| url.rsplit('/').next() == Some(name))
}

/// The value of a part of a complex extension, whatever kind of string it is.
fn value_of<'a>(extension: &'a Value, name: &str) -> Option<&'a str> {
    let part = list(extension, "extension").find(|part| is_named(part, name))?;
    let members = part.as_object()?;
    members
        .iter()
        .find(|(key, _)| key.starts_with("value"))
        .and_then(|(_, value)| value.as_str())
}

/// What an entry is referred to by: its fullUrl, and its type and id.
fn names_of(entry: &Entry, kind: &str) -> Vec<String> {
    let id = entry.resource.get("id").and_then(Value::as_str);
    let relative = id.map(|id| format!("{kind}/{id}"));
    entry.full_url.iter().cloned().chain(relative).collect()
}

fn find<'a>(
    reference: &str,
    entry: &Entry,
    kind: &str,
    known: &'a HashMap<String, BrandEndpoint>,
) -> Option<&'a BrandEndpoint> {
    known
        .get(&absolute(reference, entry, kind))
        .or_else(|| known.get(reference))
}

/// A relative reference, seen from the fullUrl of the entry (FHIR R4, "Resolving references in
/// Bundles").
fn absolute(reference: &str, entry: &Entry, kind: &str) -> String {
    if reference.contains("://") || reference.starts_with("urn:") {
        return reference.to_owned();
    }
    let root = entry
        .full_url
        .as_deref()
        .and_then(|url| url.rsplit_once("/Organization/"))
        .map(|(root, _)| root);
    match root {
        Some(root) if reference.starts_with(kind) => format!("{root}/{reference}"),
        _ => reference.to_owned(),
    }
}
