//! Immunizations: the childhood schedule, the yearly ones, and one that was declined.

use serde_json::json;

use super::calendar::Day;
use super::chart::{Chart, Fact};
use super::json::{CVX, Term, UCUM, coding, concept, hl7_concept, merge};
use super::registry;

/// Month of life, vaccine.
const CHILDHOOD: [(i32, Term); 27] = [
    (0, ("08", "Hep B, adolescent or pediatric")),
    (1, ("08", "Hep B, adolescent or pediatric")),
    (6, ("08", "Hep B, adolescent or pediatric")),
    (2, ("119", "rotavirus, monovalent")),
    (4, ("119", "rotavirus, monovalent")),
    (2, ("20", "DTaP")),
    (4, ("20", "DTaP")),
    (6, ("20", "DTaP")),
    (15, ("20", "DTaP")),
    (50, ("20", "DTaP")),
    (2, ("48", "Hib (PRP-T)")),
    (4, ("48", "Hib (PRP-T)")),
    (12, ("48", "Hib (PRP-T)")),
    (2, ("133", "Pneumococcal conjugate PCV 13")),
    (4, ("133", "Pneumococcal conjugate PCV 13")),
    (6, ("133", "Pneumococcal conjugate PCV 13")),
    (12, ("133", "Pneumococcal conjugate PCV 13")),
    (2, ("10", "IPV")),
    (4, ("10", "IPV")),
    (50, ("10", "IPV")),
    (12, ("03", "MMR")),
    (50, ("03", "MMR")),
    (12, ("21", "varicella")),
    (50, ("21", "varicella")),
    (13, ("83", "Hep A, ped/adol, 2 dose")),
    (134, ("115", "Tdap")),
    (135, ("165", "HPV9")),
];

const INFLUENZA: Term = ("150", "Influenza, split virus, quadrivalent, PF");

/// Writes all immunizations of the person, oldest first.
pub(super) fn write(chart: &mut Chart<'_>, doctor: usize) {
    let person = chart.person;
    let end = person.end();
    let mut due: Vec<(Day, Term)> = Vec::new();
    if end.years_since(person.birth) < 26 {
        for (months, vaccine) in CHILDHOOD {
            due.push((
                person
                    .birth
                    .plus_months(months)
                    .plus(chart.rng.between(2, 14)),
                vaccine,
            ));
        }
    }
    for year in (2017..2026).filter(|year| year % 4 != 1) {
        if year > person.birth.year() {
            due.push((
                Day::new(year, 10, 1).plus(chart.rng.between(0, 40)),
                INFLUENZA,
            ));
        }
    }
    if person.age(Day::new(2021, 4, 1)) >= 16 {
        let first = Day::new(2021, 3, 20).plus(chart.rng.between(0, 60));
        let covid = ("208", "COVID-19, mRNA, LNP-S, PF, 30 mcg/0.3 mL dose");
        due.extend([
            (first, covid),
            (first.plus(21), covid),
            (first.plus(250), covid),
        ]);
    }
    let adult = |years: i32| person.birth.plus_months(years * 12 + 3);
    due.push((
        adult(30).max(Day::new(2016, 5, 9)),
        (
            "113",
            "Td (adult), 5 Lf tetanus toxoid, preservative free, adsorbed",
        ),
    ));
    due.push((
        adult(51).max(Day::new(2019, 3, 4)),
        ("187", "zoster recombinant"),
    ));
    due.push((
        adult(51).plus(90).max(Day::new(2019, 6, 3)),
        ("187", "zoster recombinant"),
    ));
    due.push((adult(65).max(Day::new(2022, 2, 7)), ("216", "Pneumococcal conjugate vaccine 20-valent (PCV20), polysaccharide CRM197 conjugate, adjuvant, PF")));
    due.retain(|(day, vaccine)| *day <= end && (vaccine.0 != "113" || person.age(*day) >= 19));
    due.sort_by_key(|(day, vaccine)| (*day, vaccine.0));
    for (position, (day, vaccine)) in due.into_iter().enumerate() {
        write_one(chart, doctor, position, day.weekday().min(end), vaccine);
    }
    declined(chart, doctor, end.plus(-110).weekday());
}

fn write_one(chart: &mut Chart<'_>, doctor: usize, position: usize, day: Day, vaccine: Term) {
    // What happened long ago is known from a card, with less precision.
    let from_card = day < Day::new(2010, 1, 1);
    let date = if from_card {
        day.iso_month()
    } else if position.is_multiple_of(3) {
        day.iso()
    } else {
        day.at(615).local()
    };
    let mut body = json!({
        "status": "completed",
        "vaccineCode": concept(CVX, vaccine),
        "patient": chart.subject(),
        "occurrenceDateTime": date,
        "primarySource": !from_card,
    });
    if from_card {
        merge(
            &mut body,
            json!({"reportOrigin": hl7_concept("immunization-origin", "record", "Written Record")}),
        );
    } else {
        let lot = chart.rng.between(1_000, 9_999);
        merge(
            &mut body,
            json!({
                "lotNumber": format!("L{lot}"),
                "expirationDate": day.plus(400).iso(),
                "location": registry::location_reference(registry::CLINIC),
                "site": {"coding": [coding("http://terminology.hl7.org/CodeSystem/v3-ActSite", "LA", "left arm")]},
                "route": {"coding": [coding("http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration", "IM", "Injection, intramuscular")]},
                "doseQuantity": {"value": super::json::decimal(5, 1), "unit": "mL", "system": UCUM, "code": "mL"},
                "performer": [{"function": hl7_concept("v2-0443", "AP", "Administering Provider"), "actor": registry::doctor(doctor).as_reference()}],
            }),
        );
    }
    chart.add("Immunization", "us-core-immunization", day.at(620), body);
    chart.facts.immunizations.push(Fact {
        text: vaccine.1.to_owned(),
        oid: "2.16.840.1.113883.12.292",
        code: vaccine.0.to_owned(),
        date: day.compact(),
        value: None,
    });
}

fn declined(chart: &mut Chart<'_>, doctor: usize, day: Day) {
    let reason = {
        let objection = coding(
            "http://terminology.hl7.org/CodeSystem/v3-ActReason",
            "PATOBJ",
            "patient objection",
        );
        json!({"coding": [objection]})
    };
    let body = json!({
        "status": "not-done",
        "statusReason": reason,
        "vaccineCode": concept(CVX, INFLUENZA),
        "patient": chart.subject(),
        "occurrenceDateTime": day.iso(),
        "primarySource": true,
        "performer": [{"actor": registry::doctor(doctor).as_reference()}],
    });
    chart.add("Immunization", "us-core-immunization", day.at(600), body);
}
