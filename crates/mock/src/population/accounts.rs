//! Who may sign in: a person each, a parent with a child, a doctor.

use super::person::{self, Person};
use super::registry;
use super::{Account, AccountRole, PRACTICE};

/// Given and family name as an account or mail name: `amina.diallo`. A name without Latin letters gives its number.
pub(super) fn slug(person: &Person) -> String {
    // The first part that is more than a particle: `khatib` of al-Khatib.
    let part = |text: &str| {
        let mut parts = text
            .split([' ', '-'])
            .filter(|part| part.chars().count() > 2);
        parts
            .next()
            .unwrap_or(text)
            .chars()
            .filter_map(plain)
            .collect::<String>()
    };
    let (given, family) = (
        part(&person.given[0]),
        part(&person.family.replace('\'', "")),
    );
    if given.is_empty() || family.is_empty() {
        format!("person.{}", person.index + 1)
    } else {
        format!("{given}.{family}")
    }
}

/// The letter without case and marks.
fn plain(letter: char) -> Option<char> {
    let lower = letter.to_lowercase().next()?;
    Some(match lower {
        'a'..='z' => lower,
        'á' | 'à' | 'å' | 'ä' | 'ą' | 'ạ' | 'ầ' | 'ă' | 'ả' => 'a',
        'é' | 'è' | 'ê' | 'ë' | 'ę' | 'ě' | 'ễ' => 'e',
        'í' | 'ì' | 'ï' | 'ı' | 'ị' => 'i',
        'ó' | 'ò' | 'ö' | 'ø' | 'ô' | 'ố' | 'ơ' => 'o',
        'ú' | 'ü' | 'ù' | 'ũ' | 'ư' => 'u',
        'ý' | 'ỳ' => 'y',
        'ç' | 'č' | 'ć' => 'c',
        'ñ' | 'ń' => 'n',
        'ł' => 'l',
        'š' | 'ś' | 'ş' => 's',
        'ż' | 'ź' | 'ž' => 'z',
        'ř' => 'r',
        'ğ' => 'g',
        'đ' | 'ð' => 'd',
        'þ' => 't',
        _ => return None,
    })
}

/// What person number `index` signs in with. People who are drawn by lot may share a name, so theirs
/// ends with their number.
pub(super) fn username(person: &Person) -> String {
    let name = slug(person);
    let numbered = name.starts_with("person.");
    if person.index < person::known() || numbered {
        name
    } else {
        format!("{name}.{}", person.index + 1)
    }
}

/// Whose account would be called `username`, apart from the known people.
pub(super) fn index_of(username: &str) -> Option<usize> {
    let (_, number) = username.rsplit_once('.')?;
    number.parse::<usize>().ok()?.checked_sub(1)
}

/// The account of `person`, who may also see their children.
pub(super) fn of_person(seed: u64, person: &Person) -> Account {
    let mut patient_ids = vec![person.id.clone()];
    let children = (0..person::known()).map(|index| person::person(seed, index));
    let own = children.filter(|child| child.parent == Some(person.index));
    patient_ids.extend(own.map(|child| child.id));
    Account {
        username: username(person),
        password: "demo".to_owned(),
        role: AccountRole::Patient,
        patient_ids,
        display_name: person.display_name(),
        fhir_user: format!("Patient/{}", person.id),
        practice: PRACTICE.to_owned(),
    }
}

/// Those who work at the practice, the doctor last; the doctor and the receptionist may see everybody,
/// `patients` by name.
pub(super) fn of_staff(patients: &[String]) -> [Account; 3] {
    let account = |username: &str, role, name: String, fhir_user: String| Account {
        username: username.to_owned(),
        password: "demo".to_owned(),
        role,
        patient_ids: if role == AccountRole::Administrator {
            Vec::new()
        } else {
            patients.to_vec()
        },
        display_name: name,
        fhir_user,
        practice: PRACTICE.to_owned(),
    };
    let doctor = registry::doctor(registry::FAMILY);
    let nurse = registry::doctor(registry::NURSE);
    let of = |one: &registry::Doctor| (one.display_name(), format!("Practitioner/{}", one.id()));
    let ((doctor, doctors_id), (nurse, nurses_id)) = (of(doctor), of(nurse));
    let (admin, admins_id) = of(registry::doctor(registry::PATHOLOGY));
    [
        account("admin", AccountRole::Administrator, admin, admins_id),
        account("nurse.haddad", AccountRole::Staff, nurse, nurses_id),
        account("dr.chen", AccountRole::Provider, doctor, doctors_id),
    ]
}
