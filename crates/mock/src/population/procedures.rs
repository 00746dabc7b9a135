//! Procedures, the devices that stay in the body, imaging and its reports.

use serde_json::{Value, json};

use super::calendar::Day;
use super::chart::Chart;
use super::documents::{binary, write_picture};
use super::illness::{Illness, concept_of};
use super::json::{LOINC, SNOMED, Term, coding, concept, hl7_concept, merge};
use super::pdf;
use super::person::Sex;
use super::registry;
use super::visits::{Kind, Visit};

/// Writes one `Procedure`.
fn procedure(chart: &mut Chart<'_>, day: Day, doctor: usize, code: Term, more: Value) -> String {
    let mut body = json!({
        "status": "completed",
        "category": concept(SNOMED, ("387713003", "Surgical procedure (procedure)")),
        "code": concept(SNOMED, code),
        "subject": chart.subject(),
        "performedDateTime": day.iso(),
        "performer": [{"actor": registry::doctor(doctor).as_reference()}],
    });
    merge(&mut body, more);
    chart.add("Procedure", "us-core-procedure", day.at(1_000), body)
}

/// What is done at a visit: the list of drugs gone through, and a test where the visit calls for it.
pub(super) fn write_at_visit(chart: &mut Chart<'_>, visit: &Visit) {
    let start = visit.at.plus(5);
    let period = json!({"performedPeriod": {"start": start.local(), "end": start.plus(6).local()}});
    let mut more = json!({
        "encounter": {"reference": visit.reference},
        "category": concept(SNOMED, ("103693007", "Diagnostic procedure (procedure)")),
    });
    let code = match visit.kind {
        Kind::Wellness if visit.ordinal.is_multiple_of(3) => {
            ("430193006", "Medication reconciliation (procedure)")
        }
        Kind::Wellness if visit.ordinal % 3 == 1 && chart.person.age(visit.at.day) >= 13 => {
            ("171207006", "Depression screening (procedure)")
        }
        Kind::Emergency if !chart.person.is_child() => {
            ("29303009", "Electrocardiographic procedure (procedure)")
        }
        Kind::FollowUp if chart.person.has(Illness::Copd, visit.at.day) => {
            ("127783003", "Spirometry (procedure)")
        }
        _ => return,
    };
    merge(&mut more, period);
    let mut body = json!({
        "status": "completed",
        "code": concept(SNOMED, code),
        "subject": chart.subject(),
        "performer": [{"actor": registry::doctor(visit.doctor).as_reference()}],
    });
    merge(&mut body, more);
    chart.add("Procedure", "us-core-procedure", visit.at.plus(45), body);
}

/// The great events: operations, births, screenings. Each may leave a device or a report behind.
pub(super) fn write_events(chart: &mut Chart<'_>, visits: &[Visit]) {
    let person = chart.person;
    let end = person.end();
    let years = person.age(end);
    if person.since(Illness::AtrialFibrillation).is_some() && years > 70 {
        let day = end.plus(-1_900).weekday();
        let device = implant(
            chart,
            day,
            ("14106009", "Cardiac pacemaker, device (physical object)"),
            "Lodestar DR pacemaker",
            "50712345000",
        );
        let more = focal(&device, &concept_of(Illness::AtrialFibrillation));
        procedure(
            chart,
            day,
            registry::CARDIOLOGY,
            ("307280005", "Implantation of cardiac pacemaker (procedure)"),
            more,
        );
    }
    if let Some(since) = person.since(Illness::HipArthritis) {
        let day = since.plus(400).min(end.plus(-90)).weekday();
        let device = implant(
            chart,
            day,
            (
                "304120007",
                "Total hip replacement prosthesis (physical object)",
            ),
            "Keel modular hip stem",
            "50798765000",
        );
        let more = focal(&device, &concept_of(Illness::HipArthritis));
        procedure(
            chart,
            day,
            registry::ORTHOPAEDICS,
            ("52734007", "Total replacement of hip (procedure)"),
            more,
        );
    }
    if let Some(birth) = person.gave_birth.filter(|birth| *birth <= end) {
        procedure(
            chart,
            birth,
            registry::OBSTETRICS,
            ("177184002", "Normal delivery procedure (procedure)"),
            json!({}),
        );
    }
    if years >= 50 {
        let day = person
            .birth
            .plus_months(50 * 12)
            .plus(60)
            .max(end.plus(-3_000))
            .weekday();
        procedure(
            chart,
            day,
            registry::EMERGENCY,
            ("73761001", "Colonoscopy (procedure)"),
            json!({
                "performedPeriod": {"start": day.at(540).local(), "end": day.at(585).local()},
                "performedDateTime": null,
            }),
        );
        pathology(chart, day);
    }
    if years >= 60 && person.index % 2 == 1 {
        let day = end.plus(-1_100).weekday();
        procedure(
            chart,
            day,
            registry::EMERGENCY,
            ("54885007", "Extraction of cataract (procedure)"),
            json!({"note": [{"text": "Left eye, day surgery, no complication."}]}),
        );
    }
    if years >= 18 && person.index.is_multiple_of(3) {
        let year = person.birth.year() + 15;
        let long_ago = json!({"performedDateTime": year.to_string(), "note": [{"text": "As remembered by the patient."}]});
        procedure(
            chart,
            end.plus(-2_000),
            registry::FAMILY,
            ("80146002", "Excision of appendix (procedure)"),
            long_ago,
        );
    }
    imaging(chart, visits);
    if person.sex == Sex::Female && years >= 45 {
        mammogram(chart, end.plus(-420).weekday());
    }
}

fn focal(device: &str, reason: &Value) -> Value {
    json!({
        "focalDevice": [{"manipulated": {"reference": device}}],
        "reasonCode": [reason],
        "location": registry::location_reference(registry::HOSPITAL),
    })
}

/// A device that was put in on `day`, with a Unique Device Identifier of GS1 form.
fn implant(chart: &mut Chart<'_>, day: Day, kind: Term, name: &str, item: &str) -> String {
    let identifier = gtin(item);
    let serial = format!("SN{}", chart.person.base + 17);
    let lot = format!("LT{}", day.year());
    let made = day.plus(-200);
    let expires = day.plus(900);
    let barcode = format!(
        "(01){identifier}(11){}(17){}(10){lot}(21){serial}",
        &made.compact()[2..],
        &expires.compact()[2..]
    );
    chart.add("Device", "us-core-implantable-device", day.at(900), json!({
        "udiCarrier": [{"deviceIdentifier": identifier, "issuer": "http://hl7.org/fhir/NamingSystem/gs1", "carrierHRF": barcode, "entryType": "barcode"}],
        "status": "active",
        "distinctIdentifier": format!("D-{serial}"),
        "manufacturer": "Northlight Devices, Inc.",
        "manufactureDate": made.iso(),
        "expirationDate": expires.iso(),
        "lotNumber": lot,
        "serialNumber": serial,
        "deviceName": [{"name": name, "type": "user-friendly-name"}],
        "modelNumber": "NL-7",
        "type": concept(SNOMED, kind),
        "patient": chart.subject(),
    }))
}

/// A 14-digit item number: `item` filled up to 13 digits, and the check digit of GS1.
fn gtin(item: &str) -> String {
    let digits = format!("{item:0>13}");
    let sum: u32 = digits
        .chars()
        .filter_map(|c| c.to_digit(10))
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { digit * 3 } else { digit })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

struct Report<'a> {
    category: Term,
    code: Term,
    doctor: usize,
    day: Day,
    encounter: Option<&'a str>,
    lines: Vec<String>,
    conclusion: &'a str,
}

/// A report whose text is a PDF behind a `Binary`.
fn report(chart: &mut Chart<'_>, report: &Report<'_>, more: Value) -> String {
    let title = report.code.1;
    let mut lines = vec![format!("Date: {}", report.day.iso()), String::new()];
    lines.extend(report.lines.iter().cloned());
    lines.extend([
        String::new(),
        "IMPRESSION".to_owned(),
        report.conclusion.to_owned(),
        String::new(),
        format!("Signed: {}", registry::doctor(report.doctor).display_name()),
    ]);
    let bytes = pdf::document(chart.person, title, &lines);
    let attachment = binary(chart, "application/pdf", &bytes, title, report.day.at(980));
    let mut body = json!({
        "status": "final",
        "category": [{"coding": [coding(LOINC, report.category.0, report.category.1)], "text": report.category.1}],
        "code": concept(LOINC, report.code),
        "subject": chart.subject(),
        "effectiveDateTime": report.day.at(700).local(),
        "issued": report.day.at(980).utc(),
        "performer": [registry::doctor(report.doctor).as_reference(), registry::organization_reference(registry::HOSPITAL)],
        "resultsInterpreter": [registry::doctor(report.doctor).as_reference()],
        "conclusion": report.conclusion,
        "presentedForm": [attachment],
    });
    if let Some(encounter) = report.encounter {
        merge(&mut body, json!({"encounter": {"reference": encounter}}));
    }
    merge(&mut body, more);
    chart.add(
        "DiagnosticReport",
        "us-core-diagnosticreport-note",
        report.day.at(985),
        body,
    )
}

/// The electrocardiogram and the chest film of the emergency visit, ordered, made and read.
fn imaging(chart: &mut Chart<'_>, visits: &[Visit]) {
    let Some(visit) = visits.iter().find(|visit| visit.kind == Kind::Emergency) else {
        return;
    };
    let day = visit.at.day;
    let order = chart.add("ServiceRequest", "us-core-servicerequest", visit.at.plus(20), json!({
        "status": "completed",
        "intent": "order",
        "category": [concept(SNOMED, ("363679005", "Imaging (procedure)"))],
        "code": concept(LOINC, ("36643-5", "XR Chest 2 Views")),
        "subject": chart.subject(),
        "encounter": {"reference": visit.reference},
        "authoredOn": visit.at.plus(20).local(),
        "requester": registry::doctor(visit.doctor).as_reference(),
        "occurrencePeriod": {"start": visit.at.plus(30).local(), "end": visit.at.plus(50).local()},
    }));
    let observation = chart.observe(visit, ("imaging", "Imaging"), "us-core-observation-clinical-result",
        concept(LOINC, ("19005-8", "Radiology Imaging study [Impression] (narrative)")),
        json!({"valueString": "No acute cardiopulmonary abnormality.", "basedOn": [{"reference": order}]}));
    let film = Report {
        category: ("LP29684-5", "Radiology"),
        code: ("36643-5", "XR Chest 2 Views"),
        doctor: registry::RADIOLOGY,
        day,
        encounter: Some(&visit.reference),
        lines: vec![
            "Frontal and lateral views.".to_owned(),
            "Lungs are clear. Heart size is normal.".to_owned(),
            "No effusion, no pneumothorax.".to_owned(),
        ],
        conclusion: "No acute cardiopulmonary abnormality.",
    };
    report(
        chart,
        &film,
        json!({"basedOn": [{"reference": order}], "result": [{"reference": observation}]}),
    );
    let media = write_picture(chart, visit);
    let heart = Report {
        category: ("LP29708-2", "Cardiology"),
        code: ("11524-6", "EKG study"),
        doctor: registry::CARDIOLOGY,
        day,
        encounter: Some(&visit.reference),
        lines: vec![
            "Twelve leads, 25 mm/s, 10 mm/mV.".to_owned(),
            "Sinus rhythm. Intervals within normal limits.".to_owned(),
        ],
        conclusion: "Sinus rhythm, no acute change.",
    };
    report(
        chart,
        &heart,
        json!({"media": [{"comment": "Rhythm strip, lead II", "link": {"reference": media}}]}),
    );
}

fn pathology(chart: &mut Chart<'_>, day: Day) {
    let tissue = Report {
        category: ("LP7839-6", "Pathology"),
        code: ("11526-1", "Pathology study"),
        doctor: registry::PATHOLOGY,
        day: day.plus(4).weekday(),
        encounter: None,
        lines: vec![
            "Specimen: polyp of the sigmoid colon, 4 mm.".to_owned(),
            "Microscopy: tubular adenoma, low grade.".to_owned(),
        ],
        conclusion: "Tubular adenoma, completely removed. Next colonoscopy in seven years.",
    };
    report(chart, &tissue, json!({}));
}

fn mammogram(chart: &mut Chart<'_>, day: Day) {
    procedure(
        chart,
        day,
        registry::RADIOLOGY,
        ("71651007", "Mammography (procedure)"),
        json!({"category": concept(SNOMED, ("103693007", "Diagnostic procedure (procedure)"))}),
    );
    let film = Report {
        category: ("LP29684-5", "Radiology"),
        code: ("24606-6", "MG Breast Screening"),
        doctor: registry::RADIOLOGY,
        day,
        encounter: None,
        lines: vec![
            "Standard views of both breasts.".to_owned(),
            "Scattered fibroglandular densities.".to_owned(),
        ],
        conclusion: "BI-RADS 1, negative. Routine screening.",
    };
    report(chart, &film, json!({}));
}

/// An order for exercise and one for help with food: services that are not laboratory.
pub(super) fn write_orders(chart: &mut Chart<'_>, visit: &Visit, hungry: bool) {
    let mut orders = vec![(
        ("386053000", "Evaluation procedure (procedure)"),
        ("11429006", "Consultation (procedure)"),
    )];
    if hungry {
        orders.push((
            ("410606002", "Social service procedure (procedure)"),
            (
                "710824005",
                "Assessment of health and social care needs (procedure)",
            ),
        ));
    }
    for (category, code) in orders {
        let mut categories = vec![concept(SNOMED, category)];
        if hungry && category.0 == "410606002" {
            categories.push(json!({"coding": [coding("http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "sdoh", "SDOH")]}));
        }
        chart.add(
            "ServiceRequest",
            "us-core-servicerequest",
            visit.at.plus(35),
            json!({
                "status": "active",
                "intent": "order",
                "category": categories,
                "code": concept(SNOMED, code),
                "subject": chart.subject(),
                "encounter": {"reference": visit.reference},
                "authoredOn": visit.at.plus(35).local(),
                "requester": registry::doctor(visit.doctor).as_reference(),
                "occurrencePeriod": {"start": visit.at.day.plus(7).iso()},
            }),
        );
    }
}

/// A finding of the examination, and one of the clinical tests.
pub(super) fn write_findings(chart: &mut Chart<'_>, visit: &Visit) {
    let rhythm = concept(LOINC, ("8884-9", "Heart rate rhythm"));
    let regular = if chart.person.has(Illness::AtrialFibrillation, visit.at.day) {
        "Irregularly irregular"
    } else {
        "Regular"
    };
    chart.observe(
        visit,
        ("exam", "Exam"),
        "us-core-simple-observation",
        rhythm,
        json!({"valueString": regular}),
    );
    let able = json!({
        "category": [
            hl7_concept("observation-category", "survey", "Survey"),
            {"coding": [coding("http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "functional-status", "Functional Status")]},
        ],
        "valueCodeableConcept": concept(SNOMED, ("129035000", "Independent with dressing (finding)")),
    });
    let code = concept(LOINC, ("75276-6", "Functional status [Interpretation]"));
    if chart.person.age(visit.at.day) >= 6 {
        chart.observe(
            visit,
            ("survey", "Survey"),
            "us-core-simple-observation",
            code,
            able,
        );
    }
}
