//! What a person may choose, and the request that it becomes.

use crate::problem::{Problem, ProblemCode, Result};
use satchel_smart::bulk::{ExportLevel, ExportOffers, ExportRequest, Instant, TypeFilter};

/// Whose records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkLevel {
    /// Everything that the server has.
    System,
    /// All patients.
    Patient,
    /// The members of a group, by its id.
    Group(String),
}

/// From when on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BulkSince {
    /// Since the last export of the same kind that was done wholly; everything the first time.
    #[default]
    Last,
    /// Everything.
    Beginning,
    /// Since this instant.
    At(String),
}

/// What to export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkOptions {
    /// Whose records; what the server offers, when nothing is said.
    pub level: Option<BulkLevel>,
    /// From when on.
    pub since: BulkSince,
    /// Up to when.
    pub until: Option<String>,
    /// Only these types.
    pub types: Vec<String>,
    /// Searches that narrow a type, such as `Observation?category=laboratory`.
    pub type_filters: Vec<String>,
    /// Only these elements.
    pub elements: Vec<String>,
    /// Only these patients, by id.
    pub patients: Vec<String>,
    /// `includeAssociatedData`.
    pub associated_data: Vec<String>,
    /// `_outputFormat`.
    pub output_format: Option<String>,
    /// `organizeOutputBy`.
    pub organize_by: Option<String>,
    /// Files may be handed out before all are made.
    pub partial_manifests: bool,
    /// The server may leave out what it does not know.
    pub lenient: bool,
    /// Ask for the export's state apart from the request's.
    pub separate_status: bool,
    /// Values of lists one by one (version 4 of the standard).
    pub repeat_lists: bool,
    /// Leave out the parameters of these names: the answer to `bulk.parameter_refused`.
    pub without: Vec<String>,
    /// Do not fetch the contents of documents.
    pub no_attachments: bool,
}

impl BulkOptions {
    /// The request, without `_since`.
    pub(super) fn request(
        &self,
        offers: ExportOffers,
        patient: Option<&str>,
    ) -> Result<ExportRequest> {
        let mut request = ExportRequest::new(self.chosen_level(offers, patient)?);
        let instant = |text: &String| Instant::parse(text);
        request.until = self.until.as_ref().map(instant).transpose()?;
        request.types.clone_from(&self.types);
        let filters = self.type_filters.iter().map(|text| TypeFilter::parse(text));
        request.type_filters = filters.collect::<std::result::Result<_, _>>()?;
        request.elements.clone_from(&self.elements);
        request.patients.clone_from(&self.patients);
        request.associated_data.clone_from(&self.associated_data);
        request.output_format.clone_from(&self.output_format);
        request.organize_by.clone_from(&self.organize_by);
        request.partial_manifests = self.partial_manifests;
        request.lenient = self.lenient;
        request.separate_status = self.separate_status;
        request.repeat_lists = self.repeat_lists;
        if let (Some(patient), true) = (patient, request.patients.is_empty()) {
            request.patients.push(patient.to_owned());
        }
        let request = request.without(&self.without);
        request.check()?;
        Ok(request)
    }

    /// What was chosen is asked for whatever the server's statement says, which is often wrong; without
    /// a choice it is all patients where that is offered, else everything.
    fn chosen_level(&self, offers: ExportOffers, patient: Option<&str>) -> Result<ExportLevel> {
        let silent = offers.is_silent();
        match &self.level {
            Some(BulkLevel::System) => Ok(ExportLevel::System),
            Some(BulkLevel::Patient) => Ok(ExportLevel::Patient),
            Some(BulkLevel::Group(id)) => Ok(ExportLevel::Group(id.clone())),
            None if patient.is_some() || offers.patient || silent => Ok(ExportLevel::Patient),
            None if offers.system => Ok(ExportLevel::System),
            None => {
                let detail = "it offers exports of groups only: say which";
                Err(Problem::with_detail(ProblemCode::BulkNotOffered, detail))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f1_the_level_is_chosen_by_what_the_server_offers() {
        let offers = |system, patient, group| ExportOffers {
            system,
            patient,
            group,
        };
        let level = |level: Option<BulkLevel>, offers, patient| {
            let options = BulkOptions {
                level,
                ..BulkOptions::default()
            };
            options
                .request(offers, patient)
                .map(|r| (r.level, r.patients))
        };
        let all = |level| Ok((level, Vec::new()));
        assert_eq!(
            level(None, offers(true, true, true), None),
            all(ExportLevel::Patient)
        );
        assert_eq!(
            level(None, offers(true, false, true), None),
            all(ExportLevel::System)
        );
        assert_eq!(
            level(None, offers(false, false, false), None),
            all(ExportLevel::Patient)
        );
        let one = level(None, offers(true, true, true), Some("p1"));
        assert_eq!(one, Ok((ExportLevel::Patient, vec!["p1".to_owned()])));
        let group = Some(BulkLevel::Group("g".into()));
        assert_eq!(
            level(group, offers(true, false, false), None),
            all(ExportLevel::Group("g".into())),
            "a choice is asked for"
        );
        let only_groups = level(None, offers(false, false, true), None).unwrap_err();
        assert_eq!(only_groups.code, ProblemCode::BulkNotOffered);
    }
}
