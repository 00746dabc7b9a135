//! Who may sign in: a person each, a parent with a child, a doctor.

use super::person::{Person, patient_id};
use super::registry;
use super::{Account, AccountRole};

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

/// The account of `person`, who may also see `children`; `taken` are the names of earlier accounts.
pub(super) fn of_person(person: &Person, children: &[usize], taken: &[Account]) -> Account {
    let mut username = slug(person);
    if taken.iter().any(|account| account.username == username) {
        username = format!("{username}.{}", person.index + 1);
    }
    let mut patient_ids = vec![person.id.clone()];
    patient_ids.extend(children.iter().map(|child| patient_id(*child)));
    Account {
        username,
        password: "demo".to_owned(),
        role: AccountRole::Patient,
        patient_ids,
        display_name: person.display_name(),
        fhir_user: format!("Patient/{}", person.id),
    }
}

/// The doctor who may see all of `patients` people.
pub(super) fn of_doctor(patients: usize) -> Account {
    let doctor = registry::doctor(registry::FAMILY);
    Account {
        username: "dr.chen".to_owned(),
        password: "demo".to_owned(),
        role: AccountRole::Provider,
        patient_ids: (0..patients).map(patient_id).collect(),
        display_name: doctor.display_name(),
        fhir_user: format!("Practitioner/{}", doctor.id()),
    }
}
