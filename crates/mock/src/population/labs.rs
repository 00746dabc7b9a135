//! Laboratory: order, specimen, results, panels and reports of each visit.

use serde_json::{Value, json};

use super::analytes::{
    ALBUMIN_RATIO, Analyte, CBC, CREATININE, CRP, ELECTROLYTES, GLUCOSE, HBA1C, LEAD, LIPIDS, TSH,
    filtration,
};
use super::calendar::Day;
use super::chart::Chart;
use super::illness::Illness;
use super::json::{LOINC, SNOMED, Term, UCUM, concept, decimal, hl7_concept, merge, quantity};
use super::lab_results::{CATEGORY, Draw, draw, lab_observation, less_than, plain, report, result};
use super::visits::{Kind, Visit};

/// Writes all laboratory work of `visit`.
pub(super) fn write(chart: &mut Chart<'_>, visit: &Visit) {
    match visit.kind {
        Kind::Wellness => wellness(chart, visit),
        Kind::FollowUp | Kind::Telehealth => follow_up(chart, visit),
        Kind::Acute(which) => acute(chart, visit, which),
        Kind::Emergency | Kind::Inpatient => urgent(chart, visit),
        Kind::Prenatal => {
            let draw = draw(
                chart,
                visit,
                ("58410-2", "CBC panel - Blood by Automated count"),
                BLOOD,
            );
            blood_count(chart, visit, &draw);
        }
    }
}

fn wellness(chart: &mut Chart<'_>, visit: &Visit) {
    let person = chart.person;
    let (day, years) = (visit.at.day, person.age(visit.at.day));
    if years < 18 {
        match day.months_since(person.birth) {
            12 | 24 | 25 => {
                let draw = draw(chart, visit, LEAD.code, BLOOD);
                let value = LEAD.value(person, day, &mut chart.rng);
                let value = if value < 10 {
                    less_than(10, &LEAD)
                } else {
                    plain(value, &LEAD)
                };
                let result = result(chart, visit, &draw, &LEAD, value);
                report(chart, visit, &draw, LEAD.code, &[result]);
            }
            months if months > 36 && visit.ordinal.is_multiple_of(3) => {
                let draw = draw(
                    chart,
                    visit,
                    ("58410-2", "CBC panel - Blood by Automated count"),
                    BLOOD,
                );
                blood_count(chart, visit, &draw);
            }
            _ => {}
        }
        return;
    }
    let metabolic_due = person.is_chronic() || visit.ordinal.is_multiple_of(2);
    let fats = person.since(Illness::Hyperlipidemia).is_some()
        || person.since(Illness::Diabetes).is_some();
    let fats_due = fats || visit.ordinal.is_multiple_of(3);
    let mut singles: Vec<&Analyte> = Vec::new();
    if person.since(Illness::Diabetes).is_some() {
        singles.extend([&HBA1C, &ALBUMIN_RATIO]);
    }
    if person.since(Illness::Hypothyroidism).is_some() {
        singles.push(&TSH);
    }
    if !metabolic_due && !fats_due && singles.is_empty() {
        return;
    }
    let draw = draw(chart, visit, METABOLIC_PANEL, BLOOD);
    if metabolic_due {
        metabolic(chart, visit, &draw);
    }
    if visit.ordinal.is_multiple_of(3) {
        blood_count(chart, visit, &draw);
    }
    if fats_due {
        lipids(chart, visit, &draw);
    }
    for analyte in singles {
        let reference = single(chart, visit, &draw, analyte);
        report(chart, visit, &draw, analyte.code, &[reference]);
    }
}

fn follow_up(chart: &mut Chart<'_>, visit: &Visit) {
    let person = chart.person;
    let diabetic = person.since(Illness::Diabetes).is_some();
    let draw = draw(
        chart,
        visit,
        if diabetic {
            HBA1C.code
        } else {
            CREATININE.code
        },
        BLOOD,
    );
    let mut results = kidneys(chart, visit, &draw);
    if diabetic {
        results.insert(0, single(chart, visit, &draw, &HBA1C));
        results.push(single(chart, visit, &draw, &GLUCOSE));
    }
    let code = if diabetic {
        HBA1C.code
    } else {
        CREATININE.code
    };
    report(chart, visit, &draw, code, &results);
    if diabetic {
        lipids(chart, visit, &draw);
    }
}

const METABOLIC_PANEL: Term = ("24321-2", "Basic metabolic 2000 panel - Serum or Plasma");
const LIPID_PANEL: Term = ("57698-3", "Lipid panel with direct LDL - Serum or Plasma");
const BLOOD: Term = ("119297000", "Blood specimen (specimen)");
const THROAT: Term = ("258529004", "Throat swab (specimen)");
const URINE: Term = ("122575003", "Urine specimen (specimen)");

fn acute(chart: &mut Chart<'_>, visit: &Visit, which: usize) {
    match which {
        0 if visit.at.day >= Day::new(2020, 6, 1) => {
            let code = (
                "94500-6",
                "SARS-CoV-2 (COVID-19) RNA [Presence] in Respiratory system specimen by NAA with probe detection",
            );
            let found = if chart.rng.chance(30) {
                ("260373001", "Detected (qualifier value)")
            } else {
                ("260415000", "Not detected (qualifier value)")
            };
            coded(chart, visit, code, THROAT, found);
        }
        1 => {
            let found = ("112283007", "Escherichia coli (organism)");
            coded(
                chart,
                visit,
                ("630-4", "Bacteria identified in Urine by Culture"),
                URINE,
                found,
            );
        }
        2 => {
            let found = ("10828004", "Positive (qualifier value)");
            coded(
                chart,
                visit,
                (
                    "78012-2",
                    "Streptococcus pyogenes Ag [Presence] in Throat by Rapid immunoassay",
                ),
                THROAT,
                found,
            );
        }
        _ => {}
    }
}

fn urgent(chart: &mut Chart<'_>, visit: &Visit) {
    let draw_count = draw(
        chart,
        visit,
        ("58410-2", "CBC panel - Blood by Automated count"),
        BLOOD,
    );
    blood_count(chart, visit, &draw_count);
    let draw = draw(chart, visit, CRP.code, BLOOD);
    let value = CRP.value(chart.person, visit.at.day, &mut chart.rng);
    let value = if value < 30 {
        less_than(30, &CRP)
    } else {
        plain(value, &CRP)
    };
    let inflammation = result(chart, visit, &draw, &CRP, value);
    report(chart, visit, &draw, CRP.code, &[inflammation]);
    if chart.person.has(Illness::Diabetes, visit.at.day) && visit.kind == Kind::Emergency {
        let draw = self::draw(chart, visit, GLUCOSE.code, BLOOD);
        let high = chart.rng.between(388, 446);
        let sugar = result(chart, visit, &draw, &GLUCOSE, plain(high, &GLUCOSE));
        report(chart, visit, &draw, GLUCOSE.code, &[sugar]);
    }
}

fn single(chart: &mut Chart<'_>, visit: &Visit, draw: &Draw, analyte: &Analyte) -> String {
    let value = analyte.value(chart.person, visit.at.day, &mut chart.rng);
    let small = analyte.code.0 == ALBUMIN_RATIO.code.0 && value < 7;
    let value = if small {
        less_than(7, analyte)
    } else {
        plain(value, analyte)
    };
    result(chart, visit, draw, analyte, value)
}

fn blood_count(chart: &mut Chart<'_>, visit: &Visit, draw: &Draw) {
    panel(
        chart,
        visit,
        draw,
        ("58410-2", "CBC panel - Blood by Automated count"),
        &CBC,
        Vec::new(),
    );
}

fn metabolic(chart: &mut Chart<'_>, visit: &Visit, draw: &Draw) {
    let value = GLUCOSE.value(chart.person, visit.at.day, &mut chart.rng);
    let mut first = vec![result(chart, visit, draw, &GLUCOSE, plain(value, &GLUCOSE))];
    first.extend(kidneys(chart, visit, draw));
    panel(chart, visit, draw, METABOLIC_PANEL, &ELECTROLYTES, first);
}

fn lipids(chart: &mut Chart<'_>, visit: &Visit, draw: &Draw) {
    panel(chart, visit, draw, LIPID_PANEL, &LIPIDS, Vec::new());
}

/// Creatinine and, for adults, the filtration rate that follows from it.
fn kidneys(chart: &mut Chart<'_>, visit: &Visit, draw: &Draw) -> Vec<String> {
    let person = chart.person;
    let creatinine = CREATININE.value(person, visit.at.day, &mut chart.rng);
    let mut results = vec![result(
        chart,
        visit,
        draw,
        &CREATININE,
        plain(creatinine, &CREATININE),
    )];
    let years = person.age(visit.at.day);
    if years >= 18 {
        let rate = filtration(creatinine, years, person.sex);
        let unit = "mL/min/{1.73_m2}";
        let value = if rate > 90 {
            json!({"valueQuantity": {"value": 90, "comparator": ">", "unit": unit, "system": UCUM, "code": unit}})
        } else {
            json!({"valueQuantity": quantity(rate, 0, unit, unit)})
        };
        let (letter, word) = if rate < 60 {
            ("L", "Low")
        } else {
            ("N", "Normal")
        };
        let mut more = value;
        merge(
            &mut more,
            json!({
                "interpretation": [hl7_concept("v3-ObservationInterpretation", letter, word)],
                "referenceRange": [{"low": quantity(60, 0, unit, unit), "text": ">= 60"}],
                "derivedFrom": [{"reference": results[0]}],
            }),
        );
        let code = (
            "98979-8",
            "Glomerular filtration rate [Volume Rate/Area] in Serum, Plasma or Blood by Creatinine-based formula (CKD-EPI 2021)/1.73 sq M",
        );
        results.push(lab_observation(
            chart,
            visit,
            draw,
            concept(LOINC, code),
            more,
        ));
    }
    results
}

fn panel(
    chart: &mut Chart<'_>,
    visit: &Visit,
    draw: &Draw,
    code: Term,
    analytes: &[Analyte],
    mut members: Vec<String>,
) {
    for analyte in analytes {
        let value = analyte.value(chart.person, visit.at.day, &mut chart.rng);
        members.push(result(chart, visit, draw, analyte, plain(value, analyte)));
    }
    let list: Vec<Value> = members
        .iter()
        .map(|member| json!({"reference": member}))
        .collect();
    let reference = lab_observation(
        chart,
        visit,
        draw,
        concept(LOINC, code),
        json!({"hasMember": list}),
    );
    members.insert(0, reference);
    report(chart, visit, draw, code, &members);
}

fn coded(chart: &mut Chart<'_>, visit: &Visit, code: Term, specimen: Term, found: Term) {
    let draw = draw(chart, visit, code, specimen);
    let more = json!({"valueCodeableConcept": concept(SNOMED, found)});
    let reference = lab_observation(chart, visit, &draw, concept(LOINC, code), more);
    report(chart, visit, &draw, code, &[reference]);
}

/// The odd ones that every reader must bear: a result without a value, one without a date, one brought along on paper.
pub(super) fn write_odd(chart: &mut Chart<'_>, visit: &Visit) {
    let draw = draw(chart, visit, TSH.code, BLOOD);
    let absent = hl7_concept("data-absent-reason", "error", "Error");
    let note = json!({"dataAbsentReason": absent, "note": [{"text": "Specimen hemolysed; please draw again."}], "status": "cancelled"});
    lab_observation(chart, visit, &draw, concept(LOINC, TSH.code), note);
    let outside = json!({
        "status": "final",
        "category": [hl7_concept("observation-category", CATEGORY.0, CATEGORY.1)],
        "code": {"coding": [super::json::coding(LOINC, "883-9", "ABO group [Type] in Blood")], "text": "Blood group"},
        "subject": chart.subject(),
        "valueString": "A positive (card shown by the patient)",
    });
    let dated = visit.at.day.plus(-3_000).max(chart.person.birth.plus(30));
    if chart.person.index.is_multiple_of(6) {
        chart.add(
            "Observation",
            "us-core-observation-lab",
            visit.at.plus(50),
            outside,
        );
    }
    let mut old = json!({
        "status": "final",
        "category": [hl7_concept("observation-category", CATEGORY.0, CATEGORY.1)],
        "code": concept(LOINC, ("718-7", "Hemoglobin [Mass/volume] in Blood")),
        "subject": chart.subject(),
        "valueQuantity": {"value": decimal(128, 1), "unit": "g/dL", "system": UCUM, "code": "g/dL"},
        "note": [{"text": "From records brought along by the family."}],
    });
    let date = if chart.person.index.is_multiple_of(2) {
        dated.iso_month()
    } else {
        dated.year().to_string()
    };
    merge(&mut old, json!({"effectiveDateTime": date}));
    chart.add(
        "Observation",
        "us-core-observation-lab",
        visit.at.plus(55),
        old,
    );
}
