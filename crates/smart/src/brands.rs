//! User-access brands: who is behind a FHIR server, in bundles that vendors and servers publish (SMART
//! App Launch 2.2, "User-access Brands and Endpoints").
//!
//! [`fetch_bundle`] or a file gives the bytes, [`BrandBundle::read`] the checked brands. One odd entry
//! spoils no bundle: it is left out, and counted by its reason. That a brand is listed is no
//! permission to connect: discovery, registration and the person's consent come all the same.

mod entries;
mod fetch;
mod logo;
mod read;

pub use fetch::{BundleAnswer, fetch_bundle};
pub use logo::{LogoError, LogoImage, LogoSource, fetch_logo};

use crate::http::{FhirBaseUrl, HttpClient, HttpError, HttpPolicy, Reach};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use url::Url;

/// The largest bundle that is read.
pub const MAX_BUNDLE_BYTES: usize = 64 * 1024 * 1024;

/// An `Identifier`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrandIdentifier {
    /// `system`.
    pub system: Option<String>,
    /// `value`.
    pub value: String,
}

/// What a smart-configuration says of its own brand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrandLink {
    /// `user_access_brand_bundle`.
    pub bundle: Url,
    /// `user_access_brand_identifier`; may be absent where the bundle has one brand only.
    pub identifier: Option<BrandIdentifier>,
}

impl BrandLink {
    /// Reads the link. A link that cannot be used is none: a name and a picture are no reason to
    /// refuse a server.
    pub(crate) fn read(
        members: &Map<String, Value>,
        policy: &HttpPolicy,
        base: &FhirBaseUrl,
    ) -> Option<Self> {
        let bundle = Url::parse(members.get("user_access_brand_bundle")?.as_str()?).ok()?;
        let within = Reach::from_source(base.url()).covers(&bundle);
        if policy.check(&bundle).is_err() || !within {
            tracing::debug!("the user_access_brand_bundle is not a usable URL");
            return None;
        }
        let identifier = members
            .get("user_access_brand_identifier")
            .and_then(read::identifier);
        Some(Self { bundle, identifier })
    }
}

/// Where a brand is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// `city`.
    pub city: String,
    /// `state`.
    pub state: String,
    /// `postalCode`.
    pub postal_code: String,
}

/// A portal of a brand, as its patients know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portal {
    /// `portalName`.
    pub name: Option<String>,
    /// `portalUrl`.
    pub url: Option<Url>,
}

/// A FHIR R4 endpoint of a brand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrandEndpoint {
    /// `Endpoint.name`; the brand's own name is the one to show.
    pub name: Option<String>,
    /// `Endpoint.address`, checked.
    pub address: FhirBaseUrl,
}

/// A logo and how it may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// Where it is.
    pub source: LogoSource,
    /// `brandLogoLicense`: terms to show beside it.
    pub license: Option<Url>,
}

/// An organization as people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// `Organization.name`.
    pub name: String,
    /// `Organization.alias`.
    pub aliases: Vec<String>,
    /// `Organization.identifier`.
    pub identifiers: Vec<BrandIdentifier>,
    /// The website among `Organization.telecom`.
    pub website: Option<Url>,
    /// `Organization.address` and those of its contacts.
    pub places: Vec<Place>,
    /// `brandLogo`, or that of the brand it is part of.
    pub logo: Option<Logo>,
    /// `organization-portal`, or those of the brand it is part of.
    pub portals: Vec<Portal>,
    /// Endpoints that can be used, or those of the brand it is part of.
    pub endpoints: Vec<BrandEndpoint>,
}

/// Why an entry, or a part of one, was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skipped {
    /// Neither Organization nor Endpoint, or not an entry at all.
    NotABrand,
    /// An Organization without a name of bearable length.
    NoName,
    /// `active` is false.
    Inactive,
    /// An Endpoint for another version than R4, or not for FHIR.
    OtherVersion,
    /// An Endpoint that is not in use.
    EndpointOff,
    /// An Endpoint whose address cannot be used: no URL, or not https.
    BadAddress,
    /// An Endpoint on this machine or in its own network.
    PrivateAddress,
    /// A brand for which no endpoint is left.
    NoEndpoint,
    /// Beyond what one bundle may hold.
    TooMany,
}

impl Skipped {
    /// A short name, for reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotABrand => "notABrand",
            Self::NoName => "noName",
            Self::Inactive => "inactive",
            Self::OtherVersion => "otherVersion",
            Self::EndpointOff => "endpointOff",
            Self::BadAddress => "badAddress",
            Self::PrivateAddress => "privateAddress",
            Self::NoEndpoint => "noEndpoint",
            Self::TooMany => "tooMany",
        }
    }
}

/// Why bytes are no bundle of brands.
#[derive(Debug, thiserror::Error)]
pub enum BrandsError {
    /// A web page.
    #[error("the answer is a web page, not a list of servers")]
    Html,
    /// Not JSON.
    #[error("the list is not JSON: {0}")]
    NotJson(String),
    /// JSON, but no Bundle.
    #[error("the list is not a FHIR Bundle: {found}")]
    NotABundle {
        /// What it is instead.
        found: String,
    },
    /// A Bundle with nobody to connect to.
    #[error("the Bundle holds no server that can be used")]
    Empty {
        /// What was left out, by reason.
        skipped: BTreeMap<Skipped, u64>,
    },
    /// The network.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// Why a server's own brand is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrandMatchError {
    /// No organization has the identifier.
    #[error("no organization of the bundle has the identifier")]
    None,
    /// More than one has it.
    #[error("several organizations of the bundle have the identifier")]
    Several,
}

/// The brands of a bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrandBundle {
    /// `Bundle.timestamp`.
    pub timestamp: Option<String>,
    /// In the order of the bundle, those without an endpoint of their own included.
    pub brands: Vec<Brand>,
    /// What was left out, by reason.
    pub skipped: BTreeMap<Skipped, u64>,
}

impl BrandBundle {
    /// Reads a Bundle of Organizations and Endpoints.
    ///
    /// # Errors
    /// [`BrandsError`] when it is no Bundle at all.
    pub fn read(bytes: &[u8], http: &HttpClient, reach: Reach) -> Result<Self, BrandsError> {
        read::bundle(bytes, http, reach)
    }

    /// The brand that a server's configuration names: the Organization whose identifier fits, and
    /// exactly one (checklist A25). Without an identifier, the only brand of the bundle.
    ///
    /// # Errors
    /// [`BrandMatchError`]: none fits, or several do.
    pub fn linked(&self, link: &BrandLink) -> Result<&Brand, BrandMatchError> {
        let mut fitting = self.brands.iter().filter(|brand| match &link.identifier {
            Some(identifier) => brand.identifiers.contains(identifier),
            None => true,
        });
        match (fitting.next(), fitting.next()) {
            (Some(brand), None) => Ok(brand),
            (None, _) => Err(BrandMatchError::None),
            (Some(_), Some(_)) => Err(BrandMatchError::Several),
        }
    }
}
