//! How the authorization server decides where the standards leave the choice to it.

use serde::Deserialize;

/// What a server may decide by itself; the default is what most servers do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Policy {
    /// Nobody registers without a software statement (RFC 7591 §2.3); see --software-statement-keys
    #[arg(long)]
    pub software_statement_required: bool,
    /// Nobody registers but an app at which somebody has signed in: it registers its key with the
    /// access token (Epic's variant)
    #[arg(long)]
    pub registration_after_sign_in: bool,
    /// What an app may do with its registration later (RFC 7592)
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    pub registration_management: Management,
    /// A registered https or private-use redirect belongs to the host of `client_uri`
    /// (RFC 8252 §8.4)
    #[arg(long)]
    pub strict_redirects: bool,
    /// Lifetime of a client secret; reading or replacing the registration gives a new one
    /// [default: for ever]
    #[arg(long, value_name = "SECONDS")]
    pub secret_lifetime: Option<i64>,
    /// How client id and secret are written in a Basic header (RFC 6749 §2.3.1 encodes them,
    /// SMART's example does not)
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    pub basic_encoding: BasicEncoding,
    /// Whom a client assertion names as its audience: SMART says the token-endpoint, rfc7523bis the
    /// issuer (with `typ` client-authentication+jwt)
    #[arg(long, value_enum, value_name = "WHOM", default_value_t)]
    pub assertion_audience: AssertionAudience,
    /// From when the lifetime of a refresh token counts: each use (sliding), or the sign-in (absolute)
    #[arg(long, value_enum, value_name = "FROM", default_value_t)]
    pub refresh_expiry: RefreshExpiry,
    /// A refresh token that is not used for so long ends
    #[arg(long, value_name = "SECONDS")]
    pub refresh_idle: Option<i64>,
    /// `offline_access` counts with `prompt=consent` only (OpenID Connect Core §11)
    #[arg(long)]
    pub offline_needs_consent_prompt: bool,
}

/// What an app may do with its registration later (RFC 7592).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Management {
    /// Read, replace and delete it.
    #[default]
    Full,
    /// Read it; the rest is 405.
    ReadOnly,
    /// Nothing: the answer to the registration names no address for it.
    None,
}

/// How client id and secret are written in a Basic header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum BasicEncoding {
    /// Each form-encoded before they are joined (RFC 6749 §2.3.1).
    #[default]
    FormEncoded,
    /// As they are (SMART's example).
    AsIs,
    /// In one way or the other.
    Either,
}

/// Whom a client assertion names as its audience.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum AssertionAudience {
    /// The token endpoint (SMART, "Client authentication: asymmetric").
    #[default]
    TokenEndpoint,
    /// The issuer (rfc7523bis), with `typ` `client-authentication+jwt`.
    Issuer,
    /// Either of them.
    Either,
}

/// From when the lifetime of a refresh token counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum RefreshExpiry {
    /// From each use.
    #[default]
    Sliding,
    /// From the sign-in.
    Absolute,
}
