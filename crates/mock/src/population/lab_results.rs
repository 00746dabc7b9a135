//! One result, one drawing of blood, one report: the pieces of which laboratory work is made.

use serde_json::{Value, json};

use super::analytes::Analyte;
use super::calendar::Moment;
use super::chart::{Chart, Fact};
use super::illness::concept_of;
use super::json::{LOINC, SNOMED, Term, concept, decimal_text, hl7_concept, merge, quantity};
use super::registry;
use super::visits::Visit;

pub(super) const CATEGORY: (&str, &str) = ("laboratory", "Laboratory");

/// One drawing of blood (or its like) during a visit.
pub(super) struct Draw {
    order: String,
    specimen: String,
    /// When the laboratory gave its result.
    issued: Moment,
}

/// A value and the members of the `Observation` that hold it.
pub(super) struct Measured {
    units: i64,
    more: Value,
}

pub(super) fn plain(units: i64, analyte: &Analyte) -> Measured {
    Measured {
        units,
        more: json!({"valueQuantity": quantity(units, analyte.scale, analyte.unit, analyte.ucum)}),
    }
}

pub(super) fn less_than(units: i64, analyte: &Analyte) -> Measured {
    let mut value = quantity(units, analyte.scale, analyte.unit, analyte.ucum);
    merge(&mut value, json!({"comparator": "<"}));
    Measured {
        units: units - 1,
        more: json!({"valueQuantity": value}),
    }
}

pub(super) fn result(
    chart: &mut Chart<'_>,
    visit: &Visit,
    draw: &Draw,
    analyte: &Analyte,
    measured: Measured,
) -> String {
    let (letter, word) = match measured.units {
        units if units < analyte.panic.0 => ("LL", "Critical low"),
        units if units > analyte.panic.1 => ("HH", "Critical high"),
        units if analyte.low.is_some_and(|low| units < low) => ("L", "Low"),
        units if analyte.high.is_some_and(|high| units > high) => ("H", "High"),
        _ => ("N", "Normal"),
    };
    let mut range =
        json!({"type": hl7_concept("referencerange-meaning", "normal", "Normal Range")});
    let bound = |units: i64| quantity(units, analyte.scale, analyte.unit, analyte.ucum);
    if let Some(low) = analyte.low {
        merge(&mut range, json!({"low": bound(low)}));
    }
    if let Some(high) = analyte.high {
        merge(&mut range, json!({"high": bound(high)}));
    }
    let mut more = measured.more;
    merge(
        &mut more,
        json!({
            "interpretation": [hl7_concept("v3-ObservationInterpretation", letter, word)],
            "referenceRange": [range],
        }),
    );
    chart.facts.results.push(Fact {
        text: analyte.code.1.to_owned(),
        oid: "2.16.840.1.113883.6.1",
        code: analyte.code.0.to_owned(),
        date: visit.at.day.compact(),
        value: Some((
            decimal_text(measured.units, analyte.scale),
            analyte.ucum.to_owned(),
        )),
    });
    lab_observation(chart, visit, draw, concept(LOINC, analyte.code), more)
}

pub(super) fn lab_observation(
    chart: &mut Chart<'_>,
    visit: &Visit,
    draw: &Draw,
    code: Value,
    more: Value,
) -> String {
    let mut body = json!({
        "status": "final",
        "category": [hl7_concept("observation-category", CATEGORY.0, CATEGORY.1)],
        "code": code,
        "subject": chart.subject(),
        "encounter": {"reference": visit.reference},
        "effectiveDateTime": visit.at.plus(25).local(),
        "issued": draw.issued.utc(),
        "performer": [registry::organization_reference(registry::LABORATORY)],
        "specimen": {"reference": draw.specimen},
        "basedOn": [{"reference": draw.order}],
    });
    merge(&mut body, more);
    chart.add(
        "Observation",
        "us-core-observation-lab",
        draw.issued.plus(5),
        body,
    )
}

pub(super) fn draw(chart: &mut Chart<'_>, visit: &Visit, code: Term, specimen: Term) -> Draw {
    let reason = match chart.person.illnesses.first() {
        Some((illness, _)) => concept_of(*illness),
        None => json!({"text": "Routine"}),
    };
    let order = chart.add(
        "ServiceRequest",
        "us-core-servicerequest",
        visit.at.plus(15),
        json!({
            "status": "completed",
            "intent": "order",
            "category": [concept(SNOMED, ("108252007", "Laboratory procedure (procedure)"))],
            "code": concept(LOINC, code),
            "subject": chart.subject(),
            "encounter": {"reference": visit.reference},
            "occurrenceDateTime": visit.at.day.iso(),
            "authoredOn": visit.at.plus(15).local(),
            "requester": registry::doctor(visit.doctor).as_reference(),
            "reasonCode": [reason],
        }),
    );
    let number = chart.rng.between(10_000, 99_999);
    let specimen = chart.add("Specimen", "us-core-specimen", visit.at.plus(30), json!({
        "accessionIdentifier": {"system": "https://tidewaterlab.example/accession", "value": format!("{}-{number}", visit.at.day.compact())},
        "status": "available",
        "type": concept(SNOMED, specimen),
        "subject": chart.subject(),
        "request": [{"reference": order}],
        "collection": {"collectedDateTime": visit.at.plus(25).local()},
    }));
    let issued = visit.at.plus(60 * chart.rng.between(6, 30));
    Draw {
        order,
        specimen,
        issued,
    }
}

pub(super) fn report(
    chart: &mut Chart<'_>,
    visit: &Visit,
    draw: &Draw,
    code: Term,
    results: &[String],
) {
    let results: Vec<Value> = results
        .iter()
        .map(|result| json!({"reference": result}))
        .collect();
    chart.add(
        "DiagnosticReport",
        "us-core-diagnosticreport-lab",
        draw.issued.plus(10),
        json!({
            "status": "final",
            "category": [hl7_concept("v2-0074", "LAB", "Laboratory")],
            "code": concept(LOINC, code),
            "subject": chart.subject(),
            "encounter": {"reference": visit.reference},
            "effectiveDateTime": visit.at.plus(25).local(),
            "issued": draw.issued.plus(10).utc(),
            "performer": [registry::organization_reference(registry::LABORATORY)],
            "resultsInterpreter": [registry::doctor(registry::PATHOLOGY).as_reference()],
            "specimen": [{"reference": draw.specimen}],
            "basedOn": [{"reference": draw.order}],
            "result": results,
        }),
    );
}
