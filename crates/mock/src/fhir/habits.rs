//! How a vendor writes its records: the changes of a resource that [`crate::Quirks`] names, made while it
//! is sent. What is kept stays as it was.

use std::borrow::Cow;
use std::fmt::Write as _;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use sha2::{Digest as _, Sha256};

use super::answer;
use super::tree::Node;
use crate::data::Stored;
use crate::data::fields::local_reference;
use crate::quirks::{Quirks, Rewrite};
use crate::state::App;

/// What makes an id longer than the 64 letters that FHIR allows (datatypes.html#id).
pub(super) const LONG: &str =
    "-of-a-server-that-does-not-keep-to-the-length-that-fhir-gives-to-ids";

/// The strings for people that some servers send as HTML.
const PROSE: [&str; 3] = ["patientInstruction", "conclusion", "comment"];

/// The id under which a resource goes out.
pub(super) fn id(quirks: &Quirks, resource: &Stored) -> String {
    if quirks.long_ids && resource.resource_type != "Patient" {
        return format!("{}{LONG}", resource.id);
    }
    resource.id.clone()
}

/// An address or a form with the ids as they are kept.
pub(super) fn as_kept<'a>(quirks: &Quirks, text: &'a str) -> Cow<'a, str> {
    if quirks.long_ids && text.contains(LONG) {
        return Cow::Owned(text.replace(LONG, ""));
    }
    Cow::Borrowed(text)
}

/// The resource as this server tells it.
pub(super) fn told<'a>(app: &App, resource: &'a Stored) -> Cow<'a, str> {
    let quirks = &app.quirks;
    if !quirks.changes_records() {
        return Cow::Borrowed(&resource.json);
    }
    let Some(mut node) = Node::parse(&resource.json) else {
        return Cow::Borrowed(&resource.json);
    };
    for rewrite in &quirks.rewrites {
        if rewrite.kind == resource.resource_type && is_nth(rewrite, &resource.id) {
            change(&mut node, rewrite);
        }
    }
    if quirks.contained_medications {
        contain(app, &mut node);
    }
    if quirks.html_in_text {
        mark_up(&mut node, resource);
    }
    if quirks.long_ids {
        lengthen(&mut node, &id(quirks, resource));
    }
    if quirks.absolute_references {
        let base = app.fhir_base();
        each_reference(&mut node, &mut |local| format!("{base}/{local}"));
    }
    Cow::Owned(node.to_json())
}

/// The answer to a read of a patient whose chart was merged into another's.
pub(super) fn merged(app: &App, kind: &str, id: &str) -> Option<Response> {
    let merge = app.quirks.merge.as_ref()?;
    if kind != "Patient" || id != merge.from || app.auth.days() == 0 {
        return None;
    }
    let text = "this patient was merged into another";
    let mut refusal = answer::outcome(StatusCode::NOT_FOUND, "not-found", text);
    if merge.redirects {
        *refusal.status_mut() = StatusCode::MOVED_PERMANENTLY;
        let place = format!("{}/Patient/{}", app.fhir_base(), merge.into);
        if let Ok(place) = HeaderValue::from_str(&place) {
            refusal.headers_mut().insert(header::LOCATION, place);
        }
    }
    Some(refusal)
}

/// Whether this is the patient whose chart took another one in: it is given to whoever had that.
pub(super) fn took_over(app: &App, kind: &str, id: &str) -> bool {
    let merge = app.quirks.merge.as_ref();
    kind == "Patient" && app.auth.days() > 0 && merge.is_some_and(|merge| merge.into == id)
}

/// An entry's `fullUrl`; an id alone, or another server's, where this one does not care.
pub(super) fn full_url(app: &App, resource: &Stored) -> String {
    let id = id(&app.quirks, resource);
    let base = app.fhir_base();
    match (app.quirks.sloppy_full_urls, id.len() % 2) {
        (false, _) => format!("{base}/{}/{id}", resource.resource_type),
        (true, 0) => id,
        (true, _) => format!(
            "https://internal.example:8443/fhir/{}/{id}",
            resource.resource_type
        ),
    }
}

/// Every n-th by the sum of its id, always the same ones.
fn is_nth(rewrite: &Rewrite, id: &str) -> bool {
    let sum = Sha256::digest(id.as_bytes());
    let number = sum
        .iter()
        .take(4)
        .fold(0_u32, |all, byte| (all << 8) | u32::from(*byte));
    number.is_multiple_of(rewrite.every)
}

fn change(node: &mut Node, rewrite: &Rewrite) {
    let has = |name: &String| node.get(name).is_some();
    if !rewrite.where_present.iter().all(has) {
        return;
    }
    for name in &rewrite.remove {
        node.remove(name);
    }
    for (name, value) in &rewrite.set {
        if let Some(value) = Node::parse(&value.to_string()) {
            node.set(name, value);
        }
    }
}

/// The medication inside the resource that is about it (FHIR R4, references.html#contained).
fn contain(app: &App, node: &mut Node) {
    let about = node.remove("medicationReference");
    let medication = match &about {
        Some(reference) => {
            let key = reference.get("reference").and_then(Node::as_text);
            let found = key
                .and_then(local_reference)
                .and_then(|key| app.data.find(&key));
            found.and_then(|found| Node::parse(&found.json))
        }
        None => node.remove("medicationCodeableConcept").map(|concept| {
            let kind = ("resourceType".to_owned(), Node::text("Medication"));
            Node::Object(vec![kind, ("code".to_owned(), concept)])
        }),
    };
    let Some(mut medication) = medication else {
        // One that is not here stays a reference.
        if let Some(about) = about {
            node.set("medicationReference", about);
        }
        return;
    };
    medication.remove("meta");
    medication.set("id", Node::text("med"));
    let mut all = match node.remove("contained") {
        Some(Node::List(items)) => items,
        _ => Vec::new(),
    };
    all.push(medication);
    node.set("contained", Node::List(all));
    let reference = ("reference".to_owned(), Node::text("#med"));
    node.set("medicationReference", Node::Object(vec![reference]));
}

/// HTML where text is expected, and a narrative that looks worse than it is.
fn mark_up(node: &mut Node, resource: &Stored) {
    let html = |text: &str| {
        format!(
            "<p style=\"color:#333\"><b>{}</b><br>&nbsp;</p>",
            escaped(text)
        )
    };
    node.each_member(&mut |name, value| {
        if let (true, Node::Text(text)) = (PROSE.contains(&name), &mut *value) {
            *text = html(text);
        }
        if let ("note", Node::List(notes)) = (name, value) {
            for note in notes {
                if let Some(text) = note.get("text").and_then(Node::as_text).map(html) {
                    note.set("text", Node::Text(text));
                }
            }
        }
    });
    let mut div = String::from("<div xmlns=\"http://www.w3.org/1999/xhtml\">");
    let _ = write!(
        div,
        "<h1 style=\"position:fixed;top:0\">{}</h1><table border=\"1\"><tr><td colspan=\"9\">{}</td></tr></table>\
         <p>&lt;script&gt;alert('not run')&lt;/script&gt; <a href=\"#top\">top</a> <img src=\"#\" alt=\"&quot;&gt;&lt;b&gt;\"/></p></div>",
        escaped(&resource.resource_type),
        escaped(&resource.id),
    );
    let status = ("status".to_owned(), Node::text("generated"));
    let narrative = Node::Object(vec![status, ("div".to_owned(), Node::Text(div))]);
    node.set("text", narrative);
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

fn lengthen(node: &mut Node, id: &str) {
    node.set("id", Node::text(id));
    each_reference(node, &mut |local| {
        let of_patient = local.starts_with("Patient/");
        format!("{local}{}", if of_patient { "" } else { LONG })
    });
}

/// Changes the relative references to resources, those of attachments among them.
fn each_reference(node: &mut Node, change: &mut impl FnMut(&str) -> String) {
    node.each_member(&mut |name, value| {
        let Node::Text(text) = value else { return };
        let is_relative = local_reference(text).is_some_and(|local| local == *text);
        if matches!(name, "reference" | "url") && is_relative {
            *text = change(text);
        }
    });
}
