//! Asked for and granted, side by side (SMART App Launch 2.2, "Scopes requested and granted"; RFC 6749
//! §3.3).

use super::{Permissions, ResourceScope, Scope, Scopes};

/// What became of one scope that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// All of it, in whatever words.
    Whole,
    /// A part: fewer letters, a finer limit, or some types of a wildcard.
    Part,
    /// Nothing.
    Nothing,
}

impl Permissions {
    fn within(self, other: Self) -> bool {
        (!self.create || other.create)
            && (!self.read || other.read)
            && (!self.update || other.update)
            && (!self.delete || other.delete)
            && (!self.search || other.search)
    }

    fn meets(self, other: Self) -> bool {
        (self.create && other.create)
            || (self.read && other.read)
            || (self.update && other.update)
            || (self.delete && other.delete)
            || (self.search && other.search)
    }

    fn and(self, other: Self) -> Self {
        Self {
            create: self.create || other.create,
            read: self.read || other.read,
            update: self.update || other.update,
            delete: self.delete || other.delete,
            search: self.search || other.search,
        }
    }
}

impl ResourceScope {
    /// Whether this scope opens nothing that `wider` does not open. A finer limit is compared byte
    /// for byte: what it means is the server's.
    fn within(&self, wider: &Self) -> bool {
        self.context == wider.context
            && wider.is_about(&self.resource_type)
            && self.permissions.within(wider.permissions)
            && (wider.query.is_none() || wider.query == self.query)
    }

    /// Whether the two have anything in common.
    fn meets(&self, other: &Self) -> bool {
        self.context == other.context
            && (self.is_about(&other.resource_type) || other.is_about(&self.resource_type))
            && self.permissions.meets(other.permissions)
    }
}

impl Scopes {
    /// What became of a scope that was asked for. `patient/X.read` granted as `patient/X.rs`, or as
    /// `patient/X.r patient/X.s`, is all of it.
    #[must_use]
    pub fn granted(&self, asked: &Scope) -> Granted {
        if self.contains(asked.as_str()) {
            return Granted::Whole;
        }
        let Some(asked) = asked.resource() else {
            return Granted::Nothing;
        };
        let given = || self.iter().filter_map(Scope::resource);
        let together = given()
            .filter(|one| {
                one.context == asked.context
                    && (one.resource_type == "*" || one.resource_type == asked.resource_type)
                    && (one.query.is_none() || one.query == asked.query)
            })
            .fold(Permissions::default(), |all, one| all.and(one.permissions));
        if asked.permissions.within(together) {
            Granted::Whole
        } else if given().any(|one| one.meets(asked)) {
            Granted::Part
        } else {
            Granted::Nothing
        }
    }

    /// These scopes as far as `limit` goes: what a server adds unasked is not used, and one that is wider
    /// than `limit` has it counts as far as that.
    #[must_use]
    pub fn limited_to(&self, limit: &Self) -> Self {
        let inside = |scope: &&Scope| {
            limit.contains(scope.as_str())
                || scope.resource().is_some_and(|found| {
                    let mut wider = limit.iter().filter_map(Scope::resource);
                    wider.any(|wider| found.within(wider))
                })
        };
        let mut kept: Vec<Scope> = self.iter().filter(inside).cloned().collect();
        let widened = |scope: &&Scope| {
            scope.resource().is_some_and(|narrow| {
                let mut given = self.iter().filter_map(Scope::resource);
                given.any(|wide| narrow.within(wide))
            })
        };
        for scope in limit.iter().filter(widened) {
            if !kept.contains(scope) {
                kept.push(scope.clone());
            }
        }
        Self(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d16_granted_is_compared_with_asked() {
        let labs = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
        for (asked, granted, expected) in [
            ("patient/Goal.rs", "openid patient/Goal.rs", Granted::Whole),
            (
                "patient/Goal.rs",
                "patient/Goal.r patient/Goal.s",
                Granted::Whole,
            ),
            ("patient/Goal.rs", "patient/Goal.read", Granted::Whole),
            ("patient/Goal.read", "patient/*.cruds", Granted::Whole),
            ("patient/Goal.rs", "patient/Goal.r", Granted::Part),
            ("patient/Observation.rs", labs, Granted::Part),
            (labs, "patient/Observation.rs", Granted::Whole),
            (
                "patient/*.rs",
                "patient/Goal.rs patient/Condition.rs",
                Granted::Part,
            ),
            (
                "patient/Goal.rs",
                "user/Goal.rs patient/Device.rs",
                Granted::Nothing,
            ),
            ("patient/Goal.rs", "patient/Goal.cud", Granted::Nothing),
            ("openid", "profile", Granted::Nothing),
            ("patient/Goal.rs", "", Granted::Nothing),
        ] {
            assert_eq!(
                Scopes::parse(granted).granted(&Scope::parse(asked)),
                expected,
                "{asked} / {granted}"
            );
        }
    }

    #[test]
    fn d25_what_goes_beyond_is_left_out() {
        let had = Scopes::parse("openid offline_access patient/*.rs user/Goal.read");
        let got = Scopes::parse(
            "openid fhirUser patient/Condition.rs patient/Goal.cruds user/Goal.rs user/Device.rs system/*.rs",
        );
        assert_eq!(
            got.limited_to(&had).to_string(),
            "openid patient/Condition.rs user/Goal.rs user/Goal.read"
        );
        let fine = Scopes::parse("patient/Observation.rs?category=a|b");
        assert_eq!(
            Scopes::parse("patient/Observation.rs").limited_to(&fine),
            fine
        );
        let whole = Scopes::parse("patient/*.cruds user/*.cruds");
        assert_eq!(
            whole.limited_to(&Scopes::parse("patient/*.rs")).to_string(),
            "patient/*.rs",
            "a wider answer takes nothing away"
        );
        assert_eq!(fine.limited_to(&had), fine);
    }
}
