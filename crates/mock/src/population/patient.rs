//! The `Patient` itself, the people around and the insurance.

use serde_json::{Value, json};

use super::calendar::{Day, TODAY};
use super::chart::Chart;
use super::illness::narrative;
use super::json::{ACT_CODE, ROLE_CODE, SNOMED, US_CORE, coding, concept, hl7, hl7_concept, merge};
use super::person::{Person, Sex};
use super::registry;

const CDC_RACE: &str = "urn:oid:2.16.840.1.113883.6.238";

fn sex_codes(person: &Person) -> (&'static str, &'static str, (&'static str, &'static str)) {
    match person.sex {
        Sex::Female => ("female", "F", ("248152002", "Female (finding)")),
        Sex::Male => ("male", "M", ("248153007", "Male (finding)")),
    }
}

/// The extensions that US Core asks of a `Patient`.
fn extensions(person: &Person) -> Vec<Value> {
    let race = match person.race {
        Some((code, display)) => json!([
            {"url": "ombCategory", "valueCoding": {"system": CDC_RACE, "code": code, "display": display}},
            {"url": "text", "valueString": display},
        ]),
        None => json!([
            {"url": "ombCategory", "valueCoding": {"system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "code": "ASKU", "display": "asked but unknown"}},
            {"url": "text", "valueString": "Asked but unknown"},
        ]),
    };
    let (code, display) = if person.hispanic {
        ("2135-2", "Hispanic or Latino")
    } else {
        ("2186-5", "Not Hispanic or Latino")
    };
    let ethnicity = json!([
        {"url": "ombCategory", "valueCoding": {"system": CDC_RACE, "code": code, "display": display}},
        {"url": "text", "valueString": display},
    ]);
    let (_, birth_sex, sex) = sex_codes(person);
    let gender = match (person.nonbinary, person.sex) {
        (true, _) => ("33791000087105", "Identifies as nonbinary gender (finding)"),
        (_, Sex::Female) => ("446141000124107", "Identifies as female gender (finding)"),
        (_, Sex::Male) => ("446151000124109", "Identifies as male gender (finding)"),
    };
    let mut all = vec![
        json!({"url": format!("{US_CORE}us-core-race"), "extension": race}),
        json!({"url": format!("{US_CORE}us-core-ethnicity"), "extension": ethnicity}),
        json!({"url": format!("{US_CORE}us-core-birthsex"), "valueCode": birth_sex}),
        json!({"url": format!("{US_CORE}us-core-sex"), "valueCode": sex.0}),
    ];
    if person.age(person.end()) >= 13 {
        all.push(json!({"url": format!("{US_CORE}us-core-genderIdentity"), "valueCodeableConcept": concept(SNOMED, gender)}));
    }
    all
}

fn names(person: &Person) -> Vec<Value> {
    let mut name = json!({"use": "official", "text": person.display_name(), "family": person.family, "given": person.given});
    if person.given.len() == 1 && person.age(TODAY) > 70 {
        merge(
            &mut name,
            json!({"prefix": [if person.sex == Sex::Female { "Mrs." } else { "Mr." }]}),
        );
    }
    let mut all = vec![name];
    if let Some((given, family)) = &person.native {
        let text = if person.index == 4 {
            format!("{family}{given}")
        } else {
            format!("{given} {family}")
        };
        all.push(json!({"use": "usual", "text": text, "family": family, "given": [given]}));
    }
    if person.index.is_multiple_of(5) && person.sex == Sex::Female && !person.is_child() {
        all.push(json!({"use": "maiden", "family": "Sy", "given": [person.given[0]], "period": {"end": "2009-08"}}));
    }
    all
}

fn addresses(person: &Person) -> Vec<Value> {
    let (city, zip, _) = person.town;
    let moved =
        Day::new(2014, 3, 1).plus(i64::from(i32::try_from(person.index % 900).unwrap_or(0)));
    let moved = moved.max(person.birth);
    let mut all = vec![json!({
        "use": "home", "type": "both", "line": [person.street], "city": city, "state": "MA", "postalCode": zip, "country": "US",
        "period": {"start": moved.iso()},
    })];
    if moved > person.birth {
        all.push(json!({
            "use": "old", "line": ["31 Wharf Lane", "Apartment 4"], "city": "Providence", "state": "RI", "postalCode": "02903", "country": "US",
            "period": {"start": person.birth.year().to_string(), "end": moved.iso_month()},
        }));
    }
    all
}

/// Writes the `Patient`.
pub(super) fn write(chart: &mut Chart<'_>) {
    let person = chart.person;
    let account = super::accounts::slug(person);
    let mut language = vec![
        json!({"language": {"coding": [coding("urn:ietf:bcp:47", person.language.0, person.language.1)], "text": person.language.1}, "preferred": true}),
    ];
    if person.language.0 != "en" {
        language.push(json!({"language": {"coding": [coding("urn:ietf:bcp:47", "en", "English")], "text": "English"}}));
    }
    let gender = if person.nonbinary {
        "other"
    } else {
        sex_codes(person).0
    };
    let mut body = json!({
        "text": narrative(&format!("{}, born {}", person.display_name(), person.birth.iso())),
        "extension": extensions(person),
        "identifier": [
            {"use": "usual", "type": hl7_concept("v2-0203", "MR", "Medical Record Number"),
             "system": "https://harborstreet.example/mrn", "value": format!("MRN{:07}", person.base)},
            {"use": "secondary", "type": hl7_concept("v2-0203", "MB", "Member Number"),
             "system": "https://bluestone.example/members", "value": format!("BHP-{:08}", person.base * 7)},
        ],
        "active": person.death.is_none(),
        "name": names(person),
        "telecom": [
            {"system": "phone", "value": person.phone, "use": "mobile", "rank": 1},
            {"system": "email", "value": format!("{account}@mail.example"), "use": "home"},
        ],
        "gender": gender,
        "birthDate": person.birth.iso(),
        "address": addresses(person),
        "communication": language,
        "generalPractitioner": [registry::doctor(general_practitioner(person)).as_reference()],
        "managingOrganization": registry::organization_reference(registry::CLINIC),
    });
    if !person.is_child() {
        let married = person.index % 3 != 2;
        let status = if married {
            hl7("v3-MaritalStatus", "M", "Married")
        } else {
            hl7("v3-MaritalStatus", "S", "Never Married")
        };
        merge(&mut body, json!({"maritalStatus": {"coding": [status]}}));
    }
    if let Some(death) = person.death {
        merge(&mut body, json!({"deceasedDateTime": death.iso()}));
    }
    let changed = person.end().plus(-40).at(612);
    chart.add("Patient", "us-core-patient", changed, body);
}

/// The family doctor: a pediatrician for children.
pub(super) fn general_practitioner(person: &Person) -> usize {
    if person.is_child() {
        registry::PEDIATRICS
    } else {
        registry::FAMILY
    }
}

/// Writes the person to turn to. Gives the reference and the name.
pub(super) fn write_relative(chart: &mut Chart<'_>, parent: Option<&Person>) -> (String, String) {
    let person = chart.person;
    let (given, family, relation, gender) = match (parent, person.is_child()) {
        (Some(parent), _) => (
            parent.given.join(" "),
            parent.family.clone(),
            ("MTH", "mother"),
            "female",
        ),
        (None, true) => (
            "Noémie".to_owned(),
            person.family.clone(),
            ("MTH", "mother"),
            "female",
        ),
        (None, false) if person.age(TODAY) > 65 => (
            "Beatriz".to_owned(),
            person.family.clone(),
            ("DAUC", "daughter"),
            "female",
        ),
        (None, false) => (
            "Emmanuel".to_owned(),
            person.family.clone(),
            ("SPS", "spouse"),
            "male",
        ),
    };
    let name = format!("{given} {family}");
    let body = json!({
        "active": true,
        "patient": chart.subject(),
        "relationship": [{"coding": [
            coding(ROLE_CODE, relation.0, relation.1),
            hl7("v2-0131", "C", "Emergency Contact"),
        ]}],
        "name": [{"use": "official", "text": name, "family": family, "given": [given]}],
        "telecom": [{"system": "phone", "value": person.phone, "use": "home"}],
        "gender": gender,
        "address": [{"line": [person.street], "city": person.town.0, "state": "MA", "postalCode": person.town.1, "country": "US"}],
    });
    let at = person.birth.plus(20).max(Day::new(2015, 6, 1)).at(640);
    (
        chart.add("RelatedPerson", "us-core-relatedperson", at, body),
        name,
    )
}

/// Writes the insurance: one now, one of before.
pub(super) fn write_coverage(chart: &mut Chart<'_>, relative: &str) {
    let person = chart.person;
    let senior = person.age(person.end()) >= 65;
    let payer = if senior {
        registry::SENIOR_PAYER
    } else {
        registry::PAYER
    };
    let changed = Day::new(2022, 1, 1).max(person.birth);
    let spans = [
        (changed, None, payer),
        (
            Day::new(2015, 1, 1).max(person.birth),
            Some(Day::new(2021, 12, 31)),
            registry::PAYER,
        ),
    ];
    for (position, (start, end, payer)) in spans.into_iter().enumerate() {
        if end.is_some_and(|end| end <= start) {
            continue;
        }
        let child = person.is_child();
        let kind = if senior && position == 0 {
            ("RETIRE", "retiree health program")
        } else {
            ("EHCPOL", "employee healthcare")
        };
        let number = person.base * 7;
        let relationship = if child {
            ("child", "Child")
        } else {
            ("self", "Self")
        };
        let mut period = json!({"start": start.iso()});
        if let Some(end) = end.or(person.death) {
            merge(&mut period, json!({"end": end.iso()}));
        }
        let body = json!({
            "identifier": [{"type": hl7_concept("v2-0203", "MB", "Member Number"), "system": "https://bluestone.example/members", "value": format!("BHP-{number:08}")}],
            "status": if end.is_some() || person.death.is_some() { "cancelled" } else { "active" },
            "type": {"coding": [coding(ACT_CODE, kind.0, kind.1)]},
            "subscriberId": format!("{number:09}"),
            "subscriber": if child { json!({"reference": relative}) } else { chart.subject() },
            "beneficiary": chart.subject(),
            "relationship": hl7_concept("subscriber-relationship", relationship.0, relationship.1),
            "period": period,
            "payor": [registry::organization_reference(payer)],
            "class": [
                {"type": hl7_concept("coverage-class", "group", "Group"), "value": "HARBOR-01", "name": "Harbor Towns Employers"},
                {"type": hl7_concept("coverage-class", "plan", "Plan"), "value": "SILVER", "name": "Bluestone Silver"},
            ],
        });
        chart.add("Coverage", "us-core-coverage", start.at(600), body);
    }
}
