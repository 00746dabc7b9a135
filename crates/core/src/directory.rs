//! Directories of servers: bundles of user-access brands, imported from a file or URL, kept in the
//! encrypted store, so that the search works without a network (SMART App Launch 2.2, "User-access
//! Brands and Endpoints").

use crate::digest;
use crate::engine::Engine;
use crate::problem::{Problem, ProblemCode, Result};
use crate::trace::{TraceKind, problem_of};
use crate::view::{DirectoryView, SkippedView};
use satchel_smart::brands::{
    Brand, BrandBundle, BrandEndpoint, BrandsError, BundleAnswer, LogoImage, LogoSource,
    MAX_BUNDLE_BYTES, Skipped, fetch_bundle, fetch_logo,
};
use satchel_smart::discovery::SmartConfiguration;
use satchel_smart::http::{FhirBaseUrl, HttpClient, HttpPolicy, Reach};
use satchel_store::{BrandIn, DirectoryRow, LogoRow};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use url::Url;

/// A server's own brand is decoration: nobody waits longer for it.
const BRAND_PATIENCE: Duration = Duration::from_secs(5);
/// How long a logo may take.
const LOGO_PATIENCE: Duration = Duration::from_secs(15);
/// How long a logo that could not be had is not asked for again, in seconds.
const LOGO_PAUSE: i64 = 86_400;
/// Places to show beside a name.
const SHOWN_PLACES: usize = 2;

impl Engine {
    /// Imports a directory from a URL; when it was imported before, only what changed is read.
    ///
    /// # Errors
    /// `directory.*` when there is no usable list; `network.*`, `server.not_a_url`,
    /// `server.not_https`.
    pub async fn directory_import_url(&self, address: &str) -> Result<DirectoryView> {
        let work = self.import_url(address);
        self.traced(TraceKind::Directory, problem_of, work).await
    }

    async fn import_url(&self, address: &str) -> Result<DirectoryView> {
        let url = directory_url(address)?;
        let before = self.inner.store.directory_get(url.as_str()).await?;
        let etag = before.and_then(|row| row.etag);
        let reach = Reach::from_source(&url);
        let answer = fetch_bundle(&self.inner.http, &url, etag.as_deref(), reach).await?;
        match answer {
            BundleAnswer::NotModified => {
                let now = self.now().to_string();
                self.inner.store.directory_seen(url.as_str(), &now).await?;
            }
            BundleAnswer::Fresh { bundle, etag } => {
                self.keep_directory(url.as_str(), etag, &bundle).await?;
            }
        }
        self.directory_of(url.as_str()).await
    }

    /// Imports a directory from a file.
    ///
    /// # Errors
    /// `directory.unreadable` when the file cannot be read; otherwise as
    /// [`Engine::directory_import_url`].
    pub async fn directory_import_file(&self, path: &Path) -> Result<DirectoryView> {
        let unreadable =
            |error: std::io::Error| Problem::with_detail(ProblemCode::DirectoryUnreadable, error);
        let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let mut bytes = Vec::new();
        let limit = u64::try_from(MAX_BUNDLE_BYTES).unwrap_or(u64::MAX);
        file.take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .await
            .map_err(unreadable)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.directory_import_bytes(&name, bytes).await
    }

    /// Imports a directory that was read already; `name` is that of its file.
    ///
    /// # Errors
    /// As [`Engine::directory_import_file`].
    pub async fn directory_import_bytes(
        &self,
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<DirectoryView> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(Problem::with_detail(
                ProblemCode::DirectoryNotAList,
                format!("the file is larger than {MAX_BUNDLE_BYTES} bytes"),
            ));
        }
        let http = self.inner.http.clone();
        // A large list takes a second or two; the others do not wait for it.
        let bundle =
            tokio::task::spawn_blocking(move || BrandBundle::read(&bytes, &http, Reach::Public))
                .await
                .map_err(|error| Problem::with_detail(ProblemCode::Internal, error))??;
        let source = format!("file:{}", name.chars().take(200).collect::<String>());
        self.keep_directory(&source, None, &bundle).await?;
        self.directory_of(&source).await
    }

    /// The directories that were imported.
    ///
    /// # Errors
    /// `store.*`.
    pub async fn directories(&self) -> Result<Vec<DirectoryView>> {
        let rows = self.inner.store.directories_list().await?;
        Ok(rows
            .into_iter()
            .filter(|(row, _)| row.linked_base.is_none())
            .map(|(row, servers)| view_of(row, servers))
            .collect())
    }

    /// Forgets a directory; connections that were made from it stay.
    ///
    /// # Errors
    /// `record.not_found` when there is none; `store.*`.
    pub async fn directory_remove(&self, id: &str) -> Result<()> {
        if self.inner.store.directory_remove(id).await? {
            Ok(())
        } else {
            Err(Problem::new(ProblemCode::NotFound))
        }
    }

    async fn directory_of(&self, source: &str) -> Result<DirectoryView> {
        let rows = self.inner.store.directories_list().await?;
        rows.into_iter()
            .find(|(row, _)| row.source == source)
            .map(|(row, servers)| view_of(row, servers))
            .ok_or_else(|| Problem::new(ProblemCode::NotFound))
    }

    async fn keep_directory(
        &self,
        source: &str,
        etag: Option<String>,
        bundle: &BrandBundle,
    ) -> Result<()> {
        let brands: Vec<BrandIn> = bundle
            .brands
            .iter()
            .flat_map(|brand| {
                brand
                    .endpoints
                    .iter()
                    .map(|endpoint| row_of(brand, endpoint))
            })
            .collect();
        if brands.is_empty() {
            return Err(BrandsError::Empty {
                skipped: bundle.skipped.clone(),
            }
            .into());
        }
        let row = self.directory_row(source, etag, bundle);
        self.inner.store.directory_put(&row, &brands).await?;
        Ok(())
    }

    fn directory_row(
        &self,
        source: &str,
        etag: Option<String>,
        bundle: &BrandBundle,
    ) -> DirectoryRow {
        let mut bytes = [0_u8; 16];
        self.inner.random.fill(&mut bytes);
        let skipped: BTreeMap<&str, u64> = bundle
            .skipped
            .iter()
            .map(|(reason, count)| (reason.as_str(), *count))
            .collect();
        DirectoryRow {
            id: uuid::Builder::from_random_bytes(bytes)
                .into_uuid()
                .to_string(),
            source: source.to_owned(),
            linked_base: None,
            etag,
            published: bundle.timestamp.clone(),
            imported_at: self.now().to_string(),
            skipped: serde_json::to_string(&skipped).unwrap_or_default(),
        }
    }

    /// Reads the brand that a server names as its own (checklist A25), if it does so in time. A brand
    /// that cannot be had costs nothing but a name and a picture.
    pub(crate) async fn learn_linked_brand(
        &self,
        base: &FhirBaseUrl,
        configuration: &SmartConfiguration,
    ) {
        let learning = self.linked_brand(base, configuration);
        match tokio::time::timeout(BRAND_PATIENCE, learning).await {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => {
                tracing::info!(
                    code = problem.code.code(),
                    "the server's brand was not read"
                );
            }
            Err(_) => tracing::info!("the server's brand took too long"),
        }
    }

    async fn linked_brand(
        &self,
        base: &FhirBaseUrl,
        configuration: &SmartConfiguration,
    ) -> Result<()> {
        let Some(link) = &configuration.brand else {
            return Ok(());
        };
        let source = format!("linked:{base}");
        let before = self.inner.store.directory_get(&source).await?;
        let etag = before.and_then(|row| row.etag);
        let reach = reach_of(base);
        let http = self.client_for(reach)?;
        let answer = fetch_bundle(http, &link.bundle, etag.as_deref(), reach).await?;
        let BundleAnswer::Fresh { bundle, etag } = answer else {
            return Ok(());
        };
        let brand = bundle
            .linked(link)
            .map_err(|error| Problem::with_detail(ProblemCode::DirectoryNotAList, error))?;
        let endpoint = BrandEndpoint {
            name: None,
            address: base.clone(),
        };
        let row = DirectoryRow {
            linked_base: Some(base.as_str().to_owned()),
            ..self.directory_row(&source, etag, &bundle)
        };
        self.inner
            .store
            .directory_put(&row, &[row_of(brand, &endpoint)])
            .await?;
        Ok(())
    }

    /// The logo of a server as a `data:` URL: the window has no network, and in an `<img>` no script
    /// runs. It is fetched when first asked for, and kept (checklist A27).
    ///
    /// # Errors
    /// `store.*`; a logo that cannot be had is none.
    pub async fn server_logo(&self, fhir_base: &str) -> Result<Option<String>> {
        let Some(brand) = self.inner.store.brand_of(fhir_base).await? else {
            return Ok(None);
        };
        let Some(source) = brand.logo.as_deref().and_then(LogoSource::parse) else {
            return Ok(None);
        };
        let key = digest::hex(source.as_str().as_bytes());
        if let Some(kept) = self.inner.store.logo_get(&key).await? {
            if let Some(image) = kept.bytes.map(LogoImage::check) {
                return Ok(image.ok().map(|image| image.data_url()));
            }
            let age = kept.fetched_at.parse::<jiff::Timestamp>();
            let age = age.map_or(i64::MAX, |at| self.now().as_second() - at.as_second());
            if (0..LOGO_PAUSE).contains(&age) {
                return Ok(None);
            }
        }
        let reach = FhirBaseUrl::parse(fhir_base, &self.inner.policy)
            .map_or(Reach::Public, |base| reach_of(&base));
        let http = self.client_for(reach)?;
        let _few_at_a_time = self.inner.logos.acquire().await;
        let image = match tokio::time::timeout(LOGO_PATIENCE, fetch_logo(http, &source)).await {
            Ok(Ok(image)) => Some(image),
            Ok(Err(error)) => {
                tracing::info!(%error, "a logo could not be had");
                None
            }
            Err(_) => None,
        };
        let row = LogoRow {
            media_type: image.as_ref().map(|image| image.media_type.to_owned()),
            bytes: image.as_ref().map(|image| image.bytes.clone()),
            fetched_at: self.now().to_string(),
        };
        self.inner.store.logo_put(&key, &row).await?;
        Ok(image.map(|image| image.data_url()))
    }

    /// The client for what a document names: one that only goes to public hosts, unless the document
    /// comes from the own network (checklist H10).
    fn client_for(&self, reach: Reach) -> Result<&HttpClient> {
        if reach == Reach::Anywhere {
            return Ok(&self.inner.http);
        }
        if let Some(client) = self.inner.public_http.get() {
            return Ok(client);
        }
        let client = HttpClient::new(HttpPolicy {
            public_hosts_only: true,
            ..self.inner.policy.clone()
        })?;
        Ok(self.inner.public_http.get_or_init(|| client))
    }
}

fn reach_of(base: &FhirBaseUrl) -> Reach {
    Url::parse(base.as_str()).map_or(Reach::Public, |url| Reach::from_source(&url))
}

/// A typed address; without a scheme it is taken as https.
fn directory_url(address: &str) -> Result<Url> {
    let typed = address.trim();
    let full = if typed.contains("://") {
        typed.to_owned()
    } else {
        format!("https://{typed}")
    };
    let url = Url::parse(&full)
        .ok()
        .filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    url.ok_or_else(|| Problem::new(ProblemCode::NotAUrl))
}

fn host_of(url: &Url) -> Option<&str> {
    let host = url.host_str()?;
    Some(host.strip_prefix("www.").unwrap_or(host))
}

fn row_of(brand: &Brand, endpoint: &BrandEndpoint) -> BrandIn {
    let mut places: Vec<String> = Vec::new();
    for place in &brand.places {
        let parts = [place.city.as_str(), place.state.as_str()];
        let text: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let text = text.join(", ");
        if !text.is_empty() && !places.contains(&text) && places.len() < SHOWN_PLACES {
            places.push(text);
        }
    }
    let place_words = brand
        .places
        .iter()
        .map(|place| format!("{} {} {}", place.city, place.state, place.postal_code));
    let portal = brand.portals.first().and_then(|portal| {
        let host = portal.url.as_ref().and_then(host_of);
        match (&portal.name, host) {
            (Some(name), Some(host)) => Some(format!("{name} · {host}")),
            (Some(name), None) => Some(name.clone()),
            (None, host) => host.map(str::to_owned),
        }
    });
    let portal_names = brand
        .portals
        .iter()
        .filter_map(|portal| portal.name.clone());
    let names = std::iter::once(brand.name.clone())
        .chain(brand.aliases.iter().cloned())
        .chain(portal_names);
    let address = Url::parse(endpoint.address.as_str()).ok();
    let portal_urls = brand
        .portals
        .iter()
        .filter_map(|portal| portal.url.as_ref());
    let sites = portal_urls
        .chain(&brand.website)
        .chain(&address)
        .filter_map(host_of);
    let logo = brand.logo.as_ref();
    BrandIn {
        fhir_base: endpoint.address.as_str().to_owned(),
        name: brand.name.clone(),
        place: (!places.is_empty()).then(|| places.join(" · ")),
        portal,
        logo: logo.map(|logo| logo.source.as_str().to_owned()),
        logo_license: logo
            .and_then(|logo| logo.license.as_ref())
            .map(Url::to_string),
        name_words: names.collect::<Vec<_>>().join(" "),
        place_words: place_words.collect::<Vec<_>>().join(" "),
        site_words: sites.collect::<Vec<_>>().join(" "),
    }
}

fn view_of(row: DirectoryRow, servers: u64) -> DirectoryView {
    let counts: BTreeMap<String, u64> = serde_json::from_str(&row.skipped).unwrap_or_default();
    let mut reasons: Vec<SkippedView> = counts
        .into_iter()
        .map(|(reason, count)| SkippedView { reason, count })
        .collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
    DirectoryView {
        id: row.id,
        source: row.source,
        published: row.published,
        imported_at: row.imported_at,
        servers,
        skipped: reasons.iter().map(|reason| reason.count).sum(),
        reasons,
    }
}

impl From<BrandsError> for Problem {
    fn from(error: BrandsError) -> Self {
        match error {
            BrandsError::Http(error) => {
                use satchel_smart::http::HttpError;
                let not_a_list =
                    matches!(error, HttpError::Status { .. } | HttpError::TooLarge { .. });
                if not_a_list {
                    Self::with_detail(ProblemCode::DirectoryNotAList, error)
                } else {
                    error.into()
                }
            }
            BrandsError::Empty { skipped } => {
                let words =
                    |(reason, count): (Skipped, u64)| format!("{} {count}", reason.as_str());
                let list: Vec<String> = skipped.into_iter().map(words).collect();
                Self::with_detail(ProblemCode::DirectoryEmpty, list.join(", "))
            }
            other => Self::with_detail(ProblemCode::DirectoryNotAList, other),
        }
    }
}
