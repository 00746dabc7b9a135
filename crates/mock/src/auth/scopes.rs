//! SMART scopes, versions 1 and 2: what each permits, and what it says in plain words
//! (SMART App Launch 2.2, "Scopes and Launch Context").

/// How far a scope reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only the records of the patient in context.
    PatientOnly,
    /// Every record the account may see.
    All,
}

/// What one scope permits of a type: whose records, and of which category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) access: Access,
    /// A token, `system|code` or `code`; `None` for every category.
    pub(crate) category: Option<String>,
}

/// Whose data a clinical scope is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// `patient/`
    Patient,
    /// `user/`
    User,
    /// `system/`
    System,
}

/// A clinical scope, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clinical<'a> {
    pub(super) level: Level,
    /// A resource type, or `*`.
    pub(super) resource: &'a str,
    /// A selection of `cruds`, in that order.
    pub(super) permissions: String,
    /// `category=…` of the scope: a token, `system|code` or `code`.
    pub(super) category: Option<String>,
}

impl Clinical<'_> {
    /// Whether it permits reading or searching, which is all this server does.
    fn reads(&self) -> bool {
        self.permissions.contains(['r', 's'])
    }
}

/// Reads a clinical scope of either version; `None` for any other or a malformed one. Of v2's search
/// parameters `category` is supported, once; a scope with any other is none of ours.
pub(super) fn parse(scope: &str) -> Option<Clinical<'_>> {
    let (scope, category) = match scope.split_once('?') {
        None => (scope, None),
        Some((scope, query)) => (scope, Some(category_of(query)?)),
    };
    let (level, rest) = scope.split_once('/')?;
    let level = match level {
        "patient" => Level::Patient,
        "user" => Level::User,
        "system" => Level::System,
        _ => return None,
    };
    let (resource, permissions) = rest.split_once('.')?;
    let named = resource.starts_with(|first: char| first.is_ascii_uppercase())
        && resource.chars().all(|letter| letter.is_ascii_alphabetic());
    if !named && resource != "*" {
        return None;
    }
    let permissions = match permissions {
        "read" => "rs".to_owned(),
        "write" => "cud".to_owned(),
        "*" => "cruds".to_owned(),
        letters if in_order(letters) => letters.to_owned(),
        _ => return None,
    };
    // Version 1 knows no search parameters.
    let v2 = in_order(rest.split_once('.').map_or("", |(_, letters)| letters));
    if category.is_some() && (!v2 || resource == "*") {
        return None;
    }
    Some(Clinical {
        level,
        resource,
        permissions,
        category,
    })
}

fn category_of(query: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (name, value) = pairs.next()?;
    let only = pairs.next().is_none() && name == "category" && !value.is_empty();
    only.then(|| value.into_owned())
}

/// Whether `letters` is a non-empty selection of `cruds` in that order, each once.
fn in_order(letters: &str) -> bool {
    let mut rest = "cruds".chars();
    !letters.is_empty()
        && letters
            .chars()
            .all(|letter| rest.any(|other| other == letter))
}

/// What the granted `scopes` permit for `resource_type`; `interaction` is `'r'` (read) or `'s'`
/// (search): each fitting scope's reach, none of them a reason to refuse.
pub(crate) fn allows(scopes: &[String], resource_type: &str, interaction: char) -> Vec<Reach> {
    let fitting = scopes
        .iter()
        .filter_map(|scope| parse(scope))
        .filter(|scope| {
            (scope.resource == "*" || scope.resource == resource_type)
                && scope.permissions.contains(interaction)
        });
    fitting
        .map(|scope| Reach {
            access: match scope.level {
                Level::Patient => Access::PatientOnly,
                Level::User | Level::System => Access::All,
            },
            category: scope.category,
        })
        .collect()
}

/// The words of a scope parameter, each once, in the order asked.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    words
}

/// Whether this server can grant `scope` to somebody who signs in.
pub(super) fn known_for_people(scope: &str) -> bool {
    matches!(
        scope,
        "openid"
            | "fhirUser"
            | "profile"
            | "launch"
            | "launch/patient"
            | "launch/encounter"
            | "offline_access"
            | "online_access"
    ) || parse(scope).is_some_and(|scope| scope.level != Level::System && scope.reads())
}

/// Whether this server can grant `scope` to a backend service.
pub(super) fn known_for_services(scope: &str) -> bool {
    parse(scope).is_some_and(|scope| scope.level == Level::System && scope.reads())
}

/// Whether `scopes` need one patient in context.
pub(super) fn need_patient(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| {
        matches!(
            scope.as_str(),
            "launch" | "launch/patient" | "launch/encounter"
        ) || parse(scope).is_some_and(|scope| scope.level == Level::Patient)
    })
}

/// The scope in plain words, for the consent page.
pub(super) fn in_words(scope: &str) -> String {
    match scope {
        "openid" => return "Know that it is you who signed in".to_owned(),
        "fhirUser" => return "Know which person or practitioner you are in our records".to_owned(),
        "profile" => return "Know your name".to_owned(),
        "launch" => return "Know what you had open here when you started it".to_owned(),
        "launch/patient" => return "Know whose chart you have chosen".to_owned(),
        "launch/encounter" => return "Know which visit was the last".to_owned(),
        "offline_access" => {
            return "Keep access when you are away, until you withdraw it".to_owned();
        }
        "online_access" => return "Keep access while you are signed in here".to_owned(),
        _ => {}
    }
    let Some(clinical) = parse(scope) else {
        return "A permission without a description".to_owned();
    };
    let mut verbs: Vec<&str> = Vec::new();
    for letter in clinical.permissions.chars() {
        let verb = match letter {
            'c' => "create",
            'u' => "change",
            'd' => "delete",
            _ => "read",
        };
        if !verbs.contains(&verb) {
            verbs.push(verb);
        }
    }
    let whose = match clinical.level {
        Level::Patient => "of the chosen person",
        Level::User => "of everybody you may see",
        Level::System => "of everybody",
    };
    let kind = clinical
        .category
        .as_deref()
        .map_or_else(String::new, |category| {
            let code = category.rsplit('|').next().unwrap_or(category);
            format!(" of the kind \u{201c}{}\u{201d}", code.replace('-', " "))
        });
    format!(
        "{} {}{kind} {whose}",
        capital(&verbs.join(", ")),
        plural(clinical.resource)
    )
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A resource type as people call it.
fn plural(resource: &str) -> String {
    match resource {
        "*" => "all records",
        "Patient" => "name, birth date and address",
        "Observation" => "lab results, vital signs and other measurements",
        "Condition" => "health problems",
        "AllergyIntolerance" => "allergies",
        "MedicationRequest" => "prescriptions",
        "Medication" => "medications",
        "MedicationDispense" => "dispensed medications",
        "Immunization" => "vaccinations",
        "Procedure" => "procedures",
        "Encounter" => "visits",
        "DiagnosticReport" => "reports",
        "DocumentReference" => "documents",
        "Binary" => "the files behind documents",
        "CarePlan" => "care plans",
        "CareTeam" => "care teams",
        "Goal" => "goals",
        "Device" => "implants and devices",
        "Coverage" => "insurance",
        "Practitioner" => "practitioners",
        "PractitionerRole" => "the roles of practitioners",
        "Organization" => "organizations",
        "Location" => "places",
        "Provenance" => "where records came from",
        "RelatedPerson" => "related people",
        "ServiceRequest" => "orders",
        "Specimen" => "samples",
        "QuestionnaireResponse" => "answered questionnaires",
        other => return format!("{other} records"),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "patient/Observation.rs",
        "Observation",
        's',
        Some(Access::PatientOnly)
    )]
    #[case(
        "patient/Observation.read",
        "Observation",
        's',
        Some(Access::PatientOnly)
    )]
    #[case("patient/Observation.r", "Observation", 's', None)]
    #[case("patient/Observation.s", "Observation", 'r', None)]
    #[case("patient/*.*", "Condition", 'r', Some(Access::PatientOnly))]
    #[case("patient/*.cruds", "Condition", 's', Some(Access::PatientOnly))]
    #[case("user/*.rs", "Condition", 's', Some(Access::All))]
    #[case("system/Patient.read", "Patient", 'r', Some(Access::All))]
    #[case("patient/Observation.write", "Observation", 'r', None)]
    #[case("patient/Observation.rs", "Condition", 'r', None)]
    #[case("patient/Observation.sr", "Observation", 'r', None)]
    #[case("patient/observation.rs", "observation", 'r', None)]
    #[case("patient/Observation.", "Observation", 'r', None)]
    #[case("launch/patient", "Patient", 'r', None)]
    #[case(
        "patient/Observation.rs?category=laboratory",
        "Observation",
        'r',
        Some(Access::PatientOnly)
    )]
    #[case("patient/Observation.rs?code=1234-5", "Observation", 'r', None)]
    #[case("patient/Observation.rs?category=a&code=b", "Observation", 'r', None)]
    #[case(
        "patient/Observation.read?category=laboratory",
        "Observation",
        'r',
        None
    )]
    #[case("patient/*.rs?category=laboratory", "Observation", 'r', None)]
    #[case(
        "patient/Observation.rs patient/Observation.rs",
        "Observation",
        'r',
        None
    )]
    fn one_scope_permits(
        #[case] scope: &str,
        #[case] resource: &str,
        #[case] interaction: char,
        #[case] expected: Option<Access>,
    ) {
        let reach = allows(&[scope.to_owned()], resource, interaction);
        let access: Vec<Access> = reach.iter().map(|one| one.access).collect();
        assert_eq!(access, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn each_scope_counts() {
        let reach = |scopes: &str, interaction: char| {
            let all = allows(&split(scopes), "Patient", interaction);
            all.iter().map(|one| one.access).collect::<Vec<_>>()
        };
        let scopes = "patient/*.rs user/Patient.r";
        assert_eq!(reach(scopes, 'r'), [Access::PatientOnly, Access::All]);
        assert_eq!(reach(scopes, 's'), [Access::PatientOnly]);
    }

    #[test]
    fn a_repeated_scope_counts_once_and_the_order_stays() {
        assert_eq!(split("  openid fhirUser  openid "), ["openid", "fhirUser"]);
    }

    #[test]
    fn people_get_no_system_scope_and_services_nothing_else() {
        assert!(!known_for_people("system/*.rs"));
        assert!(known_for_people("user/*.rs"));
        assert!(known_for_services("system/*.rs"));
        assert!(!known_for_people("user/*.write"));
        assert!(!known_for_services("user/*.rs"));
        assert!(!known_for_services("openid"));
    }

    #[rstest]
    #[case(
        "patient/Observation.rs",
        "Read lab results, vital signs and other measurements of the chosen person"
    )]
    #[case(
        "user/Goal.cud",
        "Create, change, delete goals of everybody you may see"
    )]
    #[case(
        "offline_access",
        "Keep access when you are away, until you withdraw it"
    )]
    #[case(
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
        "Read lab results, vital signs and other measurements of the kind “vital signs” of the chosen person"
    )]
    fn scopes_are_put_in_words(#[case] scope: &str, #[case] words: &str) {
        assert_eq!(in_words(scope), words);
    }
}
