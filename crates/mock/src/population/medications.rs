//! Prescriptions, what the pharmacy handed out, and what people say that they take.

use serde_json::{Value, json};

use super::calendar::{Day, TODAY};
use super::chart::{Chart, Fact};
use super::illness::{Illness, concept_of};
use super::json::{ACT_CODE, RXNORM, SNOMED, Term, UCUM, coding, concept, hl7_concept, merge};
use super::registry;
use super::visits::{Kind, Visit};

struct Regimen {
    drug: Term,
    sig: &'static str,
    /// Times per day.
    daily: i64,
    /// UCUM-like unit of one dose.
    unit: &'static str,
    route: Term,
}

const ORAL: Term = ("26643006", "Oral route (qualifier value)");
const INHALED: Term = ("447694001", "Respiratory tract route (qualifier value)");
const SKIN: Term = ("6064005", "Topical route (qualifier value)");

const fn tablet(drug: Term, sig: &'static str, daily: i64) -> Regimen {
    Regimen {
        drug,
        sig,
        daily,
        unit: "{tbl}",
        route: ORAL,
    }
}

const DIABETES: &[Regimen] = &[tablet(
    ("861007", "metformin hydrochloride 500 MG Oral Tablet"),
    "Take 1 tablet twice a day with meals",
    2,
)];
const PRESSURE: &[Regimen] = &[
    tablet(
        ("314076", "lisinopril 10 MG Oral Tablet"),
        "Take 1 tablet every morning",
        1,
    ),
    tablet(
        ("197361", "amlodipine 5 MG Oral Tablet"),
        "Take 1 tablet every evening",
        1,
    ),
];
const LIPIDS: &[Regimen] = &[tablet(
    ("617310", "atorvastatin 20 MG Oral Tablet"),
    "Take 1 tablet at bedtime",
    1,
)];
const THYROID: &[Regimen] = &[tablet(
    ("892246", "levothyroxine sodium 0.1 MG Oral Tablet"),
    "Take 1 tablet before breakfast, with water",
    1,
)];
const ASTHMA: &[Regimen] = &[
    Regimen {
        drug: (
            "745679",
            "200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler",
        ),
        sig: "2 puffs when short of breath, up to 4 times a day",
        daily: 4,
        unit: "{puff}",
        route: INHALED,
    },
    Regimen {
        drug: (
            "895994",
            "120 ACTUAT fluticasone propionate 0.044 MG/ACTUAT Metered Dose Inhaler",
        ),
        sig: "2 puffs twice a day; rinse the mouth afterwards",
        daily: 2,
        unit: "{puff}",
        route: INHALED,
    },
];
const MOOD: &[Regimen] = &[tablet(
    ("312941", "sertraline 50 MG Oral Tablet"),
    "Take 1 tablet every morning",
    1,
)];
const HEART: &[Regimen] = &[
    tablet(
        ("313988", "furosemide 40 MG Oral Tablet"),
        "Take 1 tablet every morning",
        1,
    ),
    tablet(
        (
            "866436",
            "24 HR metoprolol succinate 50 MG Extended Release Oral Tablet",
        ),
        "Take 1 tablet a day; do not crush",
        1,
    ),
];
const RHYTHM: &[Regimen] = &[tablet(
    ("1364445", "apixaban 5 MG Oral Tablet"),
    "Take 1 tablet twice a day",
    2,
)];
const COPD: &[Regimen] = &[Regimen {
    drug: (
        "896209",
        "60 ACTUAT fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler",
    ),
    sig: "1 inhalation twice a day",
    daily: 2,
    unit: "{puff}",
    route: INHALED,
}];
const PAIN: &[Regimen] = &[tablet(
    ("310965", "ibuprofen 200 MG Oral Tablet"),
    "Take 2 tablets with food when in pain, up to 3 times a day",
    3,
)];
const IRON: &[Regimen] = &[tablet(
    ("310325", "ferrous sulfate 325 MG Oral Tablet"),
    "Take 1 tablet every other day",
    1,
)];
const BONES: &[Regimen] = &[tablet(
    ("904419", "alendronic acid 10 MG Oral Tablet"),
    "Take 1 tablet on rising; stay upright for half an hour",
    1,
)];
const ITCH: &[Regimen] = &[Regimen {
    drug: ("106258", "hydrocortisone 10 MG/ML Topical Cream"),
    sig: "Thin layer on the itching places twice a day, for up to 7 days",
    daily: 2,
    unit: "{application}",
    route: SKIN,
}];

/// What is taken against `illness`.
fn regimens(illness: Illness) -> &'static [Regimen] {
    match illness {
        Illness::Diabetes => DIABETES,
        Illness::Hypertension => PRESSURE,
        Illness::Hyperlipidemia => LIPIDS,
        Illness::Hypothyroidism => THYROID,
        Illness::Asthma => ASTHMA,
        Illness::Depression | Illness::Anxiety => MOOD,
        Illness::HeartFailure => HEART,
        Illness::AtrialFibrillation => RHYTHM,
        Illness::Copd => COPD,
        Illness::Migraine | Illness::KneeArthritis | Illness::HipArthritis => PAIN,
        Illness::IronDeficiency => IRON,
        Illness::Osteoporosis => BONES,
        Illness::Eczema => ITCH,
        Illness::KidneyDisease | Illness::Reflux => &[],
    }
}

/// The drug as `medicationReference` where it is a resource, else as `medicationCodeableConcept`.
fn drug(term: Term) -> Value {
    match registry::medication_reference(term.0) {
        Some(reference) => json!({"medicationReference": reference}),
        None => json!({"medicationCodeableConcept": concept(RXNORM, term)}),
    }
}

fn dosage(regimen: &Regimen, start: Day) -> Value {
    json!({
        "text": regimen.sig,
        "timing": {"repeat": {"frequency": regimen.daily, "period": 1, "periodUnit": "d", "boundsPeriod": {"start": start.iso()}}},
        "route": concept(SNOMED, regimen.route),
        "doseAndRate": [{
            "type": hl7_concept("dose-rate-type", "ordered", "Ordered"),
            "doseQuantity": {"value": if regimen.unit == "{puff}" { 2 } else { 1 }, "unit": regimen.unit, "system": UCUM, "code": regimen.unit},
        }],
    })
}

struct Order<'a> {
    regimen: &'a Regimen,
    start: Day,
    status: &'a str,
    intent: &'a str,
    days: i64,
    reason: Value,
    encounter: Option<&'a str>,
    doctor: usize,
    /// The person takes it, but nobody here prescribed it.
    reported: bool,
}

fn write_order(chart: &mut Chart<'_>, order: &Order<'_>) -> String {
    let category = if order.reported {
        ("community", "Community")
    } else {
        ("outpatient", "Outpatient")
    };
    let mut body = json!({
        "status": order.status,
        "intent": order.intent,
        "category": [hl7_concept("medicationrequest-category", category.0, category.1)],
        "subject": chart.subject(),
        "authoredOn": if order.encounter.is_some() { order.start.at(660).local() } else { order.start.iso() },
        "requester": registry::doctor(order.doctor).as_reference(),
        "reasonCode": [order.reason],
        "dosageInstruction": [dosage(order.regimen, order.start)],
    });
    merge(&mut body, drug(order.regimen.drug));
    if order.reported {
        merge(
            &mut body,
            json!({"reportedBoolean": true, "requester": chart.subject()}),
        );
    } else {
        merge(
            &mut body,
            json!({"reportedBoolean": false, "dispenseRequest": {
                "validityPeriod": {"start": order.start.iso(), "end": order.start.plus(365).iso()},
                "numberOfRepeatsAllowed": if order.days > 30 { 3 } else { 0 },
                "quantity": {"value": order.days * order.regimen.daily, "unit": order.regimen.unit, "system": UCUM, "code": order.regimen.unit},
                "expectedSupplyDuration": {"value": order.days, "unit": "days", "system": UCUM, "code": "d"},
            }}),
        );
    }
    if let Some(encounter) = order.encounter {
        merge(&mut body, json!({"encounter": {"reference": encounter}}));
    }
    chart.add(
        "MedicationRequest",
        "us-core-medicationrequest",
        order.start.at(670),
        body,
    )
}

fn write_dispense(chart: &mut Chart<'_>, order: &Order<'_>, request: &str, day: Day, first: bool) {
    let kind = if first {
        ("FF", "First Fill")
    } else {
        ("RF", "Refill")
    };
    let mut body = json!({
        "status": "completed",
        "subject": chart.subject(),
        "performer": [{"actor": registry::organization_reference(registry::PHARMACY)}],
        "authorizingPrescription": [{"reference": request}],
        "type": {"coding": [coding(ACT_CODE, kind.0, kind.1)]},
        "quantity": {"value": order.days * order.regimen.daily, "unit": order.regimen.unit, "system": UCUM, "code": order.regimen.unit},
        "daysSupply": {"value": order.days, "unit": "days", "system": UCUM, "code": "d"},
        "whenPrepared": day.at(840).local(),
        "whenHandedOver": day.at(960).local(),
        "dosageInstruction": [dosage(order.regimen, order.start)],
    });
    merge(&mut body, drug(order.regimen.drug));
    chart.add(
        "MedicationDispense",
        "us-core-medicationdispense",
        day.at(970),
        body,
    );
}

/// Long-standing prescriptions: renewed every year for the last three, each drug with its refills.
pub(super) fn write_lasting(chart: &mut Chart<'_>, doctor: usize) {
    let end = chart.person.end();
    let mut given: Vec<&str> = Vec::new();
    for (illness, since) in chart.person.illnesses.clone() {
        for regimen in regimens(illness) {
            if given.contains(&regimen.drug.0) {
                continue;
            }
            given.push(regimen.drug.0);
            let cured = illness == Illness::IronDeficiency;
            for years_ago in (0..3).rev() {
                let start = end.plus(-years_ago * 365 - 150).weekday();
                let newest = years_ago == 0;
                if start <= since || (cured && start > since.plus(300)) {
                    continue;
                }
                let status = if newest && end == TODAY && !cured {
                    "active"
                } else {
                    "completed"
                };
                let order = Order {
                    regimen,
                    start,
                    status,
                    intent: "order",
                    days: 90,
                    reason: concept_of(illness),
                    encounter: None,
                    doctor,
                    reported: false,
                };
                let request = write_order(chart, &order);
                for fill in 0..if newest { 2 } else { 1 } {
                    write_dispense(
                        chart,
                        &order,
                        &request,
                        start.plus(1 + fill * 88),
                        fill == 0,
                    );
                }
            }
            chart.facts.medications.push(Fact {
                text: regimen.drug.1.to_owned(),
                oid: "2.16.840.1.113883.6.88",
                code: regimen.drug.0.to_owned(),
                date: since.compact(),
                value: None,
            });
        }
    }
}

/// What is bought without prescription, and what is planned: one of each.
pub(super) fn write_others(chart: &mut Chart<'_>, visit: &Visit) {
    let day = visit.at.day;
    let reported = if chart.person.age(day) < 12 {
        Regimen {
            drug: ("198405", "ibuprofen 100 MG Oral Tablet"),
            sig: "Half a tablet when feverish, as the parents see fit",
            daily: 1,
            unit: "{tbl}",
            route: ORAL,
        }
    } else {
        tablet(
            ("243670", "aspirin 81 MG Oral Tablet"),
            "Takes 1 tablet a day of own accord",
            1,
        )
    };
    let text = json!({"text": "As told by the patient or the family"});
    write_order(
        chart,
        &Order {
            regimen: &reported,
            start: day,
            status: "active",
            intent: "order",
            days: 30,
            reason: text,
            encounter: Some(&visit.reference),
            doctor: visit.doctor,
            reported: true,
        },
    );
    let planned = tablet(
        ("311372", "loratadine 10 MG Oral Tablet"),
        "1 tablet a day in the pollen season, if needed",
        1,
    );
    let text = json!({"text": "In case the hay fever comes back"});
    write_order(
        chart,
        &Order {
            regimen: &planned,
            start: day,
            status: "active",
            intent: "plan",
            days: 30,
            reason: text,
            encounter: Some(&visit.reference),
            doctor: visit.doctor,
            reported: false,
        },
    );
}

/// The course of an antibiotic for an infection, or a pain killer for a sprain.
pub(super) fn write_acute(chart: &mut Chart<'_>, visit: &Visit) {
    let Kind::Acute(which) = visit.kind else {
        return;
    };
    let regimen = match which {
        2 | 3 => Regimen {
            drug: ("308182", "Amoxicillin 250 MG Oral Capsule"),
            sig: "Take 1 capsule 3 times a day until all are gone",
            daily: 3,
            unit: "{capsule}",
            route: ORAL,
        },
        1 => tablet(
            ("309097", "cefuroxime 250 MG Oral Tablet"),
            "Take 1 tablet twice a day for 5 days",
            2,
        ),
        _ => tablet(
            ("313782", "acetaminophen 325 MG Oral Tablet"),
            "Take 2 tablets when in pain or feverish, up to 4 times a day",
            4,
        ),
    };
    let reason = concept(SNOMED, super::illness::ACUTE[which].0);
    let order = Order {
        regimen: &regimen,
        start: visit.at.day,
        status: "completed",
        intent: "order",
        days: 7,
        reason,
        encounter: Some(&visit.reference),
        doctor: visit.doctor,
        reported: false,
    };
    let request = write_order(chart, &order);
    if which != 0 {
        write_dispense(chart, &order, &request, visit.at.day, true);
    }
}
