//! What all people share: organizations, places, clinicians and the medications kept as resources.

use serde_json::{Value, json};

use super::Generated;
use super::calendar::{Day, Moment};
use super::chart::finish;
use super::json::{RXNORM, Term, concept, hl7, hl7_concept};

/// A clinician.
pub(super) struct Doctor {
    number: usize,
    prefix: &'static str,
    given: &'static str,
    family: &'static str,
    suffix: &'static str,
    specialty: Term,
    /// Where the clinician works: an index for [`organization_reference`].
    pub(super) organization: usize,
}

struct Organization {
    name: &'static str,
    kind: Term,
    line: &'static str,
    city: &'static str,
    zip: &'static str,
    phone: &'static str,
}

pub(super) const CLINIC: usize = 0;
pub(super) const HOSPITAL: usize = 1;
pub(super) const LABORATORY: usize = 2;
pub(super) const PAYER: usize = 3;
pub(super) const SENIOR_PAYER: usize = 4;
pub(super) const PHARMACY: usize = 5;
pub(super) const EXCHANGE: usize = 6;

pub(super) const FAMILY: usize = 0;
pub(super) const PEDIATRICS: usize = 1;
pub(super) const CARDIOLOGY: usize = 2;
pub(super) const ENDOCRINOLOGY: usize = 3;
pub(super) const PSYCHIATRY: usize = 4;
pub(super) const ORTHOPAEDICS: usize = 5;
pub(super) const NURSE: usize = 6;
pub(super) const OBSTETRICS: usize = 7;
pub(super) const EMERGENCY: usize = 8;
pub(super) const RADIOLOGY: usize = 9;
pub(super) const PATHOLOGY: usize = 10;

/// The medications that are resources of their own, referred to by `MedicationRequest.medicationReference`.
pub(super) const MEDICATIONS: [Term; 5] = [
    ("861007", "metformin hydrochloride 500 MG Oral Tablet"),
    ("892246", "levothyroxine sodium 0.1 MG Oral Tablet"),
    ("1364445", "apixaban 5 MG Oral Tablet"),
    ("312941", "sertraline 50 MG Oral Tablet"),
    ("308182", "Amoxicillin 250 MG Oral Capsule"),
];

const PROVIDER: Term = ("prov", "Healthcare Provider");

const ORGANIZATIONS: [Organization; 7] = [
    org(
        "Harbor Street Family Medicine",
        PROVIDER,
        "118 Harbor Street",
        "Boston",
        "02118",
        "617-555-0110",
    ),
    org(
        "Saint Brendan Medical Center",
        PROVIDER,
        "900 Fenwick Avenue",
        "Boston",
        "02115",
        "617-555-0120",
    ),
    org(
        "Tidewater Clinical Laboratory",
        PROVIDER,
        "41 Mill Road",
        "Quincy",
        "02169",
        "617-555-0130",
    ),
    org(
        "Bluestone Health Plan",
        ("pay", "Payer"),
        "7 Granite Plaza",
        "Worcester",
        "01608",
        "508-555-0140",
    ),
    org(
        "Commonwealth Senior Plan",
        ("ins", "Insurance Company"),
        "2 Beacon Row",
        "Boston",
        "02108",
        "617-555-0150",
    ),
    org(
        "Corner Lantern Pharmacy",
        PROVIDER,
        "64 Lantern Square",
        "Cambridge",
        "02139",
        "617-555-0160",
    ),
    org(
        "Bay Colony Health Information Exchange",
        ("other", "Other"),
        "300 Summer Street",
        "Boston",
        "02210",
        "617-555-0170",
    ),
];

const fn org(
    name: &'static str,
    kind: Term,
    line: &'static str,
    city: &'static str,
    zip: &'static str,
    phone: &'static str,
) -> Organization {
    Organization {
        name,
        kind,
        line,
        city,
        zip,
        phone,
    }
}

const DOCTORS: [Doctor; 11] = [
    doc(
        0,
        "Mei-Ling",
        "Chen",
        ("207Q00000X", "Family Medicine Physician"),
        CLINIC,
    ),
    doc(
        1,
        "Kwame",
        "Mensah",
        ("208000000X", "Pediatrics Physician"),
        CLINIC,
    ),
    doc(
        2,
        "Ingrid",
        "Sørensen",
        ("207RC0000X", "Cardiovascular Disease Physician"),
        HOSPITAL,
    ),
    doc(
        3,
        "Rajesh",
        "Venkataraman",
        (
            "207RE0101X",
            "Endocrinology, Diabetes & Metabolism Physician",
        ),
        HOSPITAL,
    ),
    doc(
        4,
        "Lucía",
        "Ortega-Ruiz",
        ("2084P0800X", "Psychiatry Physician"),
        CLINIC,
    ),
    doc(
        5,
        "Thomas",
        "O'Malley",
        ("207X00000X", "Orthopaedic Surgery Physician"),
        HOSPITAL,
    ),
    Doctor {
        number: 6,
        prefix: "",
        given: "Nadia",
        family: "Haddad",
        suffix: "NP",
        specialty: ("363LF0000X", "Family Nurse Practitioner"),
        organization: CLINIC,
    },
    doc(
        7,
        "Aiko",
        "Tanaka",
        ("207V00000X", "Obstetrics & Gynecology Physician"),
        HOSPITAL,
    ),
    doc(
        8,
        "Samuel",
        "Adeyemi",
        ("207P00000X", "Emergency Medicine Physician"),
        HOSPITAL,
    ),
    doc(
        9,
        "Eleanor",
        "Whitfield",
        ("2085R0202X", "Diagnostic Radiology Physician"),
        HOSPITAL,
    ),
    doc(
        10,
        "Grzegorz",
        "Brzęczyszczykiewicz",
        (
            "207ZP0102X",
            "Anatomic Pathology & Clinical Pathology Physician",
        ),
        LABORATORY,
    ),
];

const fn doc(
    number: usize,
    given: &'static str,
    family: &'static str,
    specialty: Term,
    organization: usize,
) -> Doctor {
    Doctor {
        number,
        prefix: "Dr.",
        given,
        family,
        suffix: "MD",
        specialty,
        organization,
    }
}

impl Doctor {
    /// Logical id of the `Practitioner`.
    pub(super) fn id(&self) -> String {
        format!("pract-{}", self.number + 1)
    }

    /// The name as people say it.
    pub(super) fn display_name(&self) -> String {
        format!("{} {} {}", self.prefix, self.given, self.family)
            .trim()
            .to_owned()
    }

    /// A reference with display.
    pub(super) fn as_reference(&self) -> Value {
        json!({"reference": format!("Practitioner/{}", self.id()), "display": self.display_name()})
    }

    /// A reference to the clinician's `PractitionerRole`.
    pub(super) fn role_reference(&self) -> Value {
        json!({"reference": format!("PractitionerRole/role-{}", self.number + 1), "display": self.display_name()})
    }
}

/// Clinician number `index`.
pub(super) fn doctor(index: usize) -> &'static Doctor {
    &DOCTORS[index % DOCTORS.len()]
}

/// A reference to organization number `index`.
pub(super) fn organization_reference(index: usize) -> Value {
    json!({"reference": format!("Organization/org-{}", index + 1), "display": ORGANIZATIONS[index].name})
}

/// A reference to the place of organization number `index` (clinic or hospital).
pub(super) fn location_reference(index: usize) -> Value {
    json!({"reference": format!("Location/loc-{}", index + 1), "display": ORGANIZATIONS[index].name})
}

/// A reference to the `Medication` with this RxNorm code, if there is one.
pub(super) fn medication_reference(rxnorm: &str) -> Option<Value> {
    let term = MEDICATIONS.iter().find(|term| term.0 == rxnorm)?;
    Some(json!({"reference": format!("Medication/med-{rxnorm}"), "display": term.1}))
}

/// All shared resources.
pub(super) fn shared() -> Vec<Generated> {
    let at = Day::new(2024, 1, 15).at(720);
    let mut all = Vec::new();
    for (index, organization) in ORGANIZATIONS.iter().enumerate() {
        all.push(organization_resource(index, organization, at));
    }
    for index in [CLINIC, HOSPITAL, LABORATORY, PHARMACY] {
        all.push(location_resource(index, at));
    }
    for doctor in &DOCTORS {
        all.push(practitioner_resource(doctor, at));
        all.push(role_resource(doctor, at));
    }
    for (code, display) in MEDICATIONS {
        let body = json!({"code": concept(RXNORM, (code, display)), "status": "active"});
        all.push(finish(
            "Medication",
            format!("med-{code}"),
            "us-core-medication",
            at,
            body,
            None,
        ));
    }
    all
}

fn address(organization: &Organization) -> Value {
    json!({"use": "work", "line": [organization.line], "city": organization.city, "state": "MA",
           "postalCode": organization.zip, "country": "US"})
}

fn organization_resource(index: usize, organization: &Organization, at: Moment) -> Generated {
    let body = json!({
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": npi(200 + index)}],
        "active": true,
        "type": [hl7_concept("organization-type", organization.kind.0, organization.kind.1)],
        "name": organization.name,
        "telecom": [{"system": "phone", "value": organization.phone, "use": "work"}],
        "address": [address(organization)],
    });
    finish(
        "Organization",
        format!("org-{}", index + 1),
        "us-core-organization",
        at,
        body,
        None,
    )
}

fn location_resource(index: usize, at: Moment) -> Generated {
    let organization = &ORGANIZATIONS[index];
    let kind = match index {
        HOSPITAL => ("HOSP", "Hospital"),
        LABORATORY => ("OF", "Outpatient facility"),
        PHARMACY => ("OUTPHARM", "outpatient pharmacy"),
        _ => ("PROFF", "Provider's Office"),
    };
    let mut place = address(organization);
    super::json::merge(
        &mut place,
        json!({"text": format!("{}, {}, MA {}", organization.line, organization.city, organization.zip)}),
    );
    let body = json!({
        "status": "active",
        "name": organization.name,
        "type": [{"coding": [hl7("v3-RoleCode", kind.0, kind.1)]}],
        "telecom": [{"system": "phone", "value": organization.phone, "use": "work"}],
        "address": place,
        "managingOrganization": organization_reference(index),
    });
    finish(
        "Location",
        format!("loc-{}", index + 1),
        "us-core-location",
        at,
        body,
        None,
    )
}

fn practitioner_resource(doctor: &Doctor, at: Moment) -> Generated {
    let mut name = json!({"use": "official", "family": doctor.family, "given": [doctor.given], "suffix": [doctor.suffix]});
    if !doctor.prefix.is_empty() {
        super::json::merge(&mut name, json!({"prefix": [doctor.prefix]}));
    }
    let organization = &ORGANIZATIONS[doctor.organization];
    let body = json!({
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": npi(doctor.number)}],
        "active": true,
        "name": [name],
        "telecom": [{"system": "phone", "value": organization.phone, "use": "work"}],
        "address": [address(organization)],
    });
    finish(
        "Practitioner",
        doctor.id(),
        "us-core-practitioner",
        at,
        body,
        None,
    )
}

fn role_resource(doctor: &Doctor, at: Moment) -> Generated {
    let body = json!({
        "active": true,
        "practitioner": doctor.as_reference(),
        "organization": organization_reference(doctor.organization),
        "code": [concept("http://nucc.org/provider-taxonomy", doctor.specialty)],
        "specialty": [concept("http://nucc.org/provider-taxonomy", doctor.specialty)],
        "location": [location_reference(doctor.organization)],
        "telecom": [{"system": "phone", "value": ORGANIZATIONS[doctor.organization].phone, "use": "work"}],
    });
    finish(
        "PractitionerRole",
        format!("role-{}", doctor.number + 1),
        "us-core-practitionerrole",
        at,
        body,
        None,
    )
}

/// A National Provider Identifier with its right check digit (Luhn over `80840` and nine digits).
fn npi(number: usize) -> String {
    let nine = format!("{:09}", 199_900_000 + number * 37);
    let digits: Vec<u32> = format!("80840{nine}")
        .chars()
        .filter_map(|c| c.to_digit(10))
        .collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => digit * 2 / 10 + digit * 2 % 10,
            _ => *digit,
        })
        .sum();
    format!("{nine}{}", (10 - sum % 10) % 10)
}
