//! The parts of an export, and the files of a part.

use super::job::{Job, Part};
use satchel_smart::bulk::{ExportLevel, Manifest, ManifestFile};
use satchel_store::BulkFileRow;
use std::collections::HashSet;

/// Of a group: who is new in it gets a part of their own (checklist F21).
pub(super) fn plan_members(job: &mut Job, patients: Vec<String>) {
    let detail = &mut job.detail;
    let Some((part, request)) = detail.parts.get(detail.part) else {
        return;
    };
    match part {
        Part::Members => {
            let before: HashSet<&String> = detail.members_before.iter().flatten().collect();
            let new = patients.iter().filter(|id| !before.contains(id));
            let new: Vec<String> = new.cloned().collect();
            if let (Some((_, main)), false) = (detail.parts.last(), new.is_empty()) {
                let mut request = main.clone();
                request.since = None;
                request.patients = new;
                let at = detail.part + 1;
                detail.parts.insert(at, (Part::NewMembers, request));
            }
            detail.members = Some(patients);
        }
        Part::NewMembers => {}
        Part::Main => {
            let everybody = request.since.is_none() && request.patients.is_empty();
            let named = request.types.is_empty() || request.types.iter().any(|t| t == "Patient");
            let filtered = request.type_filters.iter();
            let mut filtered = filtered.filter(|filter| filter.resource_type() == "Patient");
            let whole = everybody && named && filtered.next().is_none();
            let is_group = matches!(request.level, ExportLevel::Group(_));
            if is_group && whole {
                detail.members = Some(patients);
            }
        }
    }
}

/// The files of a manifest with their kind, in the order in which they are fetched.
pub(super) fn files_of(manifest: &Manifest) -> impl Iterator<Item = (&'static str, &ManifestFile)> {
    let deleted = manifest.deleted.iter().map(|file| ("deleted", file));
    let output = manifest.output.iter().map(|file| ("output", file));
    let outcomes = manifest.outcomes.iter().map(|file| ("outcome", file));
    deleted.chain(output).chain(outcomes)
}

pub(super) fn file_row(kind: &str, file: &ManifestFile, position: i64) -> BulkFileRow {
    BulkFileRow {
        position,
        kind: kind.to_owned(),
        resource_type: file.resource_type.clone(),
        url: file.url.expose().to_string(),
        expected: file.count.and_then(|count| i64::try_from(count).ok()),
        state: "waiting".to_owned(),
        report: None,
    }
}
