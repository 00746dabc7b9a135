//! Notes, summaries and pictures: `DocumentReference`, `Media`, and the `Binary` behind each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::calendar::Moment;
use super::ccda;
use super::chart::Chart;
use super::illness::{ACUTE, emergency};
use super::json::{LOINC, Term, coding, concept, decimal_text, hl7_concept, merge};
use super::pdf;
use super::png;
use super::registry;
use super::visits::{Kind, Visit, end_of};
use super::vitals;

const NOTE_CATEGORY: &str =
    "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category";
const FORMATS: &str = "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode";

/// Keeps `bytes` in a `Binary`; gives the `Attachment` that points at it.
pub(super) fn binary(
    chart: &mut Chart<'_>,
    content_type: &str,
    bytes: &[u8],
    title: &str,
    at: Moment,
) -> Value {
    let body = json!({
        "contentType": content_type,
        "securityContext": {"reference": format!("Patient/{}", chart.person.id)},
        "data": STANDARD.encode(bytes),
    });
    let url = chart.add("Binary", "", at, body);
    json!({"contentType": content_type, "url": url, "title": title, "size": bytes.len(), "creation": at.local()})
}

struct Document<'a> {
    kind: Term,
    visit: &'a Visit,
    at: Moment,
    attachment: Value,
    format: Term,
    description: String,
}

fn write_document(chart: &mut Chart<'_>, document: Document<'_>) -> String {
    let number = chart.rng.between(100_000, 999_999);
    let doctor = registry::doctor(document.visit.doctor);
    let body = json!({
        "identifier": [{"system": "https://harborstreet.example/documents", "value": format!("D{number}")}],
        "status": "current",
        "docStatus": "final",
        "type": concept(LOINC, document.kind),
        "category": [{"coding": [coding(NOTE_CATEGORY, "clinical-note", "Clinical Note")], "text": "Clinical Note"}],
        "subject": chart.subject(),
        "date": document.at.utc(),
        "author": [doctor.as_reference()],
        "custodian": registry::organization_reference(doctor.organization),
        "description": document.description,
        "content": [{"attachment": document.attachment, "format": coding(FORMATS, document.format.0, document.format.1)}],
        "context": {
            "encounter": [{"reference": document.visit.reference}],
            "period": {"start": document.visit.at.local(), "end": end_of(document.visit).local()},
        },
    });
    chart.add(
        "DocumentReference",
        "us-core-documentreference",
        document.at,
        body,
    )
}

const PLAIN: Term = (
    "urn:ihe:iti:xds:2017:mimeTypeSufficient",
    "mimeType Sufficient",
);
const STRUCTURED: Term = (
    "urn:hl7-org:sdwg:ccda-structuredBody:2.1",
    "For documents following C-CDA 2.1 constraints using a structured body.",
);

/// What the doctor wrote down after `visit`.
fn note_text(chart: &Chart<'_>, visit: &Visit) -> Vec<String> {
    let person = chart.person;
    let (height, weight) = vitals::body(person, visit);
    let (height, weight) = (decimal_text(height, 1), decimal_text(weight, 1));
    let why = match visit.kind {
        Kind::Wellness => "Yearly visit. No new complaint.".to_owned(),
        Kind::Acute(which) => format!("Comes with {}.", ACUTE[which].1.1.to_lowercase()),
        Kind::Emergency => format!("Brought in with {}.", emergency(person).1.1.to_lowercase()),
        Kind::Inpatient => "Admitted from the emergency department.".to_owned(),
        Kind::Prenatal => "Prenatal visit; feels the child move.".to_owned(),
        Kind::FollowUp | Kind::Telehealth => "Follow-up of the long-standing problems.".to_owned(),
    };
    let mut lines = vec![
        format!("SUBJECTIVE: {why}"),
        "Sleeps well, appetite good. Takes the medicines as prescribed, forgets a dose now and then.".to_owned(),
        String::new(),
        format!("OBJECTIVE: weight {weight} kg, height {height} cm. Alert, in no distress."),
        "Heart and lungs without new findings. Abdomen soft. No edema.".to_owned(),
        String::new(),
        "ASSESSMENT AND PLAN:".to_owned(),
    ];
    for (position, (illness, since)) in person
        .illnesses
        .iter()
        .filter(|(_, since)| *since <= visit.at.day)
        .enumerate()
    {
        lines.push(format!(
            "{}. {} (since {}): stable, continue.",
            position + 1,
            illness.name(),
            since.year()
        ));
    }
    lines.push("Return as agreed, earlier if worse.".to_owned());
    lines
}

fn write_note(chart: &mut Chart<'_>, visit: &Visit, kind: Term) {
    let doctor = registry::doctor(visit.doctor).display_name();
    let person = chart.person;
    let native = person
        .native
        .as_ref()
        .map_or(String::new(), |(given, family)| {
            format!(" ({family} {given})")
        });
    let mut text = format!(
        "{}\nPatient: {}{native}\nDate: {}\n\n",
        kind.1,
        person.display_name(),
        visit.at.day.iso()
    );
    text.push_str(&note_text(chart, visit).join("\n"));
    text.push_str(&format!("\n\n{doctor}\n"));
    let at = end_of(visit).plus(75);
    let attachment = binary(
        chart,
        "text/plain; charset=utf-8",
        text.as_bytes(),
        kind.1,
        at,
    );
    let description = format!("{} of {}", kind.1, visit.at.day.iso());
    write_document(
        chart,
        Document {
            kind,
            visit,
            at,
            attachment,
            format: PLAIN,
            description,
        },
    );
}

fn write_pdf(chart: &mut Chart<'_>, visit: &Visit, kind: Term) {
    let mut lines = vec![
        format!("Date: {}", visit.at.day.iso()),
        format!("Author: {}", registry::doctor(visit.doctor).display_name()),
        String::new(),
    ];
    lines.extend(note_text(chart, visit));
    lines.push(String::new());
    lines.push("RECENT RESULTS".to_owned());
    let skip = chart.facts.results.len().saturating_sub(60);
    for fact in &chart.facts.results[skip..] {
        let (value, unit) = fact.value.clone().unwrap_or_default();
        lines.push(format!("{}  {}: {value} {unit}", fact.date, fact.text));
    }
    let bytes = pdf::document(chart.person, kind.1, &lines);
    let at = end_of(visit).plus(80);
    let attachment = binary(chart, "application/pdf", &bytes, kind.1, at);
    let description = format!("{} of {}", kind.1, visit.at.day.iso());
    write_document(
        chart,
        Document {
            kind,
            visit,
            at,
            attachment,
            format: PLAIN,
            description,
        },
    );
}

/// Writes the documents of a whole life. `visits` is not empty.
pub(super) fn write(chart: &mut Chart<'_>, visits: &[Visit]) {
    for (position, visit) in visits.iter().enumerate() {
        let recent = position + 5 >= visits.len();
        let kind = match visit.kind {
            Kind::Inpatient => {
                write_pdf(chart, visit, ("18842-5", "Discharge summary"));
                ("34117-2", "History and physical note")
            }
            Kind::Wellness if recent => ("34117-2", "History and physical note"),
            Kind::FollowUp | Kind::Telehealth | Kind::Acute(_) if recent => {
                ("11506-3", "Progress note")
            }
            Kind::Emergency => ("11488-4", "Consult note"),
            _ => continue,
        };
        write_note(chart, visit, kind);
        chart.sign(visit.doctor, end_of(visit).plus(85));
    }
    let Some(last) = visits.last() else { return };
    write_pdf(chart, last, ("11506-3", "Progress note"));
    let at = end_of(last).plus(120);
    let xml = ccda::document(chart, last, at);
    let attachment = binary(
        chart,
        "application/xml",
        xml.as_bytes(),
        "Continuity of Care Document",
        at,
    );
    let kind = ("34133-9", "Summary of episode note");
    let description = "Summary of the whole chart".to_owned();
    let summary = write_document(
        chart,
        Document {
            kind,
            visit: last,
            at,
            attachment,
            format: STRUCTURED,
            description,
        },
    );
    superseded(chart, last, &summary);
    chart.sign(last.doctor, at.plus(5));
}

/// A summary of last year that the new one replaces; its text is no longer there, and it says so.
fn superseded(chart: &mut Chart<'_>, visit: &Visit, replaced_by: &str) {
    let mut body = json!({
        "status": "superseded",
        "type": concept(LOINC, ("34133-9", "Summary of episode note")),
        "category": [{"coding": [coding(NOTE_CATEGORY, "clinical-note", "Clinical Note")]}],
        "subject": chart.subject(),
        "date": visit.at.plus(-300 * 1_440).utc(),
        "author": [registry::organization_reference(registry::CLINIC)],
        "content": [{"attachment": {"contentType": "application/xml", "_url": {"extension": [{
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}}}],
    });
    merge(
        &mut body,
        json!({"description": format!("Replaced by {replaced_by}")}),
    );
    chart.add(
        "DocumentReference",
        "us-core-documentreference",
        visit.at.plus(130),
        body,
    );
}

/// The rhythm strip of `visit` as a picture. Gives the reference of the `Media`.
pub(super) fn write_picture(chart: &mut Chart<'_>, visit: &Visit) -> String {
    let beat = chart.rng.between(44, 66);
    let bytes = png::rhythm_strip(usize::try_from(beat).unwrap_or(50));
    let attachment = binary(
        chart,
        "image/png",
        &bytes,
        "Rhythm strip, lead II",
        visit.at.plus(25),
    );
    chart.add(
        "Media",
        "",
        visit.at.plus(26),
        json!({
            "status": "completed",
            "type": hl7_concept("media-type", "image", "Image"),
            "subject": chart.subject(),
            "encounter": {"reference": visit.reference},
            "createdDateTime": visit.at.plus(22).local(),
            "operator": registry::doctor(visit.doctor).as_reference(),
            "height": png::HEIGHT,
            "width": png::WIDTH,
            "content": attachment,
        }),
    )
}
