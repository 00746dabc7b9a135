//! Scopes: the grammar of SMART 1 and 2, what was granted, and what to ask for (SMART App Launch 2.2,
//! "Scopes and Launch Context").

mod choose;
mod compare;

pub use choose::{Role, Wanted, choose_scopes, choose_scopes_for, registration_scopes};
pub use compare::Granted;

use std::fmt;

/// Whose data a scope is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeContext {
    /// `patient/`: the patient in context.
    Patient,
    /// `user/`: what the signed-in user may see.
    User,
    /// `system/`: backend services.
    System,
}

impl ScopeContext {
    /// The word before the slash.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::User => "user",
            Self::System => "system",
        }
    }
}

/// The letters of SMART 2: create, read, update, delete, search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// `c`.
    pub create: bool,
    /// `r`.
    pub read: bool,
    /// `u`.
    pub update: bool,
    /// `d`.
    pub delete: bool,
    /// `s`.
    pub search: bool,
}

impl Permissions {
    /// SMART 1 words mean `rs`, `cud` and `cruds`; SMART 2 is an ordered, non-empty part of `cruds`.
    fn parse(text: &str) -> Option<Self> {
        let letters = match text {
            "read" => "rs",
            "write" => "cud",
            "*" => "cruds",
            letters => letters,
        };
        let mut rest = letters;
        let mut take = |letter: char| match rest.strip_prefix(letter) {
            Some(shorter) => {
                rest = shorter;
                true
            }
            None => false,
        };
        let permissions = Self {
            create: take('c'),
            read: take('r'),
            update: take('u'),
            delete: take('d'),
            search: take('s'),
        };
        (rest.is_empty() && !letters.is_empty()).then_some(permissions)
    }
}

/// One scope. It prints exactly as it was read: granular scopes carry URLs that must not be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    text: String,
    resource: Option<ResourceScope>,
}

/// A scope for FHIR data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceScope {
    /// Whose data.
    pub context: ScopeContext,
    /// FHIR type, or `*`.
    pub resource_type: String,
    /// What may be done.
    pub permissions: Permissions,
    /// The finer limit after `?`, as written (`category=...|laboratory`).
    pub query: Option<String>,
}

impl Scope {
    /// Reads one scope. What is no scope for FHIR data, such as `openid` or a word of a vendor, is
    /// kept as text.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            resource: ResourceScope::parse(text),
        }
    }

    /// The text as it was read.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The data that it is about.
    #[must_use]
    pub fn resource(&self) -> Option<&ResourceScope> {
        self.resource.as_ref()
    }
}

impl ResourceScope {
    fn parse(text: &str) -> Option<Self> {
        let (context, rest) = text.split_once('/')?;
        let context = match context {
            "patient" => ScopeContext::Patient,
            "user" => ScopeContext::User,
            "system" => ScopeContext::System,
            _ => return None,
        };
        let (data, query) = match rest.split_once('?') {
            Some((data, query)) => (data, Some(query)),
            None => (rest, None),
        };
        let (resource_type, permissions) = data.split_once('.')?;
        let named = resource_type.starts_with(|c: char| c.is_ascii_uppercase())
            && resource_type.bytes().all(|b| b.is_ascii_alphanumeric());
        if !named && resource_type != "*" {
            return None;
        }
        if query.is_some_and(|query| !query.split('&').all(is_pair)) {
            return None;
        }
        Some(Self {
            context,
            resource_type: resource_type.to_owned(),
            permissions: Permissions::parse(permissions)?,
            query: query.map(str::to_owned),
        })
    }

    fn is_about(&self, resource_type: &str) -> bool {
        self.resource_type == "*" || self.resource_type == resource_type
    }
}

fn is_pair(text: &str) -> bool {
    text.split_once('=')
        .is_some_and(|(name, value)| !name.is_empty() && !value.is_empty())
}

/// A list of scopes, in the order of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads a space-separated list (RFC 6749 §3.3).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.split_ascii_whitespace().map(Scope::parse).collect())
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// No scope at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a scope is there, letter for letter.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        self.0.iter().any(|scope| scope.text == text)
    }

    /// Whether any data of this type may be got, by read or by search; a granular scope counts, since
    /// it opens a part of the type.
    #[must_use]
    pub fn allows_read(&self, resource_type: &str) -> bool {
        self.any(resource_type, |permissions| {
            permissions.read || permissions.search
        })
    }

    /// Whether this type may be searched.
    #[must_use]
    pub fn allows_search(&self, resource_type: &str) -> bool {
        self.any(resource_type, |permissions| permissions.search)
    }

    fn any(&self, resource_type: &str, allowed: impl Fn(Permissions) -> bool) -> bool {
        self.0
            .iter()
            .filter_map(Scope::resource)
            .any(|scope| scope.is_about(resource_type) && allowed(scope.permissions))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(&scope.text)?;
        }
        Ok(())
    }
}

/// Whether each scope holds only the characters of RFC 6749 §3.3.
pub(crate) fn is_well_formed(scopes: &str) -> bool {
    scopes
        .bytes()
        .all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(text: &str) -> Option<String> {
        let p = Scope::parse(text).resource()?.permissions;
        let all = [
            (p.create, 'c'),
            (p.read, 'r'),
            (p.update, 'u'),
            (p.delete, 'd'),
            (p.search, 's'),
        ];
        Some(
            all.iter()
                .filter(|(on, _)| *on)
                .map(|(_, letter)| *letter)
                .collect(),
        )
    }

    #[test]
    fn c13_grammar_of_both_versions() {
        for (text, expected) in [
            ("patient/Observation.rs", Some("rs")),
            ("patient/Observation.read", Some("rs")),
            ("user/*.write", Some("cud")),
            ("system/*.*", Some("cruds")),
            ("system/*.cruds", Some("cruds")),
            ("patient/Observation.s", Some("s")),
            ("patient/Observation.cud", Some("cud")),
            ("patient/Observation.dus", None),
            ("patient/Observation.sr", None),
            ("patient/Observation.rr", None),
            ("patient/Observation.", None),
            ("patient/Observation", None),
            ("patient/observation.rs", None),
            ("practitioner/Observation.rs", None),
            ("patient/Observation.rs?category=laboratory", Some("rs")),
            ("patient/Observation.rs?a=1&b=2", Some("rs")),
            ("patient/Observation.rs?", None),
            ("patient/Observation.rs?a=1&", None),
            ("launch/patient", None),
            ("openid", None),
        ] {
            assert_eq!(letters(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn c14_granular_scopes_are_kept_byte_for_byte() {
        let text = "patient/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem//condition-category|health-concern \
                    patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
        assert_eq!(Scopes::parse(text).to_string(), text);
        let query = Scope::parse(text.split(' ').next().unwrap())
            .resource()
            .unwrap()
            .query
            .clone()
            .unwrap();
        assert_eq!(
            query,
            "category=http://hl7.org/fhir/us/core/CodeSystem//condition-category|health-concern"
        );
    }

    #[test]
    fn d16_what_was_granted_decides() {
        let granted = Scopes::parse(
            "launch/patient patient/Condition.rs user/Goal.read patient/Device.cud patient/Specimen.s",
        );
        for (resource_type, read, search) in [
            ("Condition", true, true),
            ("Goal", true, true),
            ("Specimen", true, true),
            ("Device", false, false),
            ("Observation", false, false),
        ] {
            assert_eq!(granted.allows_read(resource_type), read, "{resource_type}");
            assert_eq!(
                granted.allows_search(resource_type),
                search,
                "{resource_type}"
            );
        }
        assert!(Scopes::parse("patient/*.rs").allows_read("Anything"));
        assert!(!Scopes::parse("patient/Condition.r").allows_search("Condition"));
        assert!(Scopes::parse("").is_empty() && !Scopes::parse("").allows_read("Patient"));
    }

    #[test]
    fn c15_quotes_and_backslashes_are_no_scope_characters() {
        assert!(is_well_formed(
            "openid patient/*.rs patient/Condition.rs?category=http://a|b"
        ));
        for bad in ["a\"b", "a\\b", "a\nb", "é"] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }
}
