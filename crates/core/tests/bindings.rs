//! What the window shares with the engine is generated from it: the TypeScript of `satchel_core::view`, and the
//! English of `satchel_core::wording`, which every other language has to have too. Drift fails here.
//! `UPDATE_BINDINGS=1 cargo test -p satchel-core --test bindings` writes it anew.

use satchel_core::ExportFormat;
use satchel_core::schedule::Every;
use satchel_core::trace::*;
use satchel_core::view::*;
use std::path::PathBuf;
use ts_rs::{Config, TS};

macro_rules! declare {
    ($text:ident, $config:ident: $($name:ty),* $(,)?) => {
        $(
            $text.push_str("\nexport ");
            $text.push_str(<$name as TS>::decl($config).trim());
            $text.push('\n');
        )*
    };
}

fn declarations() -> String {
    let config = &Config::new();
    let mut text = String::from(
        "// Generated from crates/core/src/view.rs; do not edit. To write it anew:\n\
         // UPDATE_BINDINGS=1 cargo test -p satchel-core --test bindings\n",
    );
    declare!(text, config:
        Role,
        ServerView,
        Launch,
        Ability,
        AbilityView,
        ServerCheckView,
        SkippedView,
        DirectoryView,
        LoginStartedView,
        ConnectionStateView,
        Reachability,
        SignedInAsView,
        ScopeGrantView,
        ScopeView,
        SupersededTokenView,
        AccessView,
        AccessCheckView,
        ScopePresetView,
        LaunchRequestView,
        ConnectionView,
        StepOutcome,
        SyncStepView,
        SyncReportView,
        SyncProgressView,
        BulkState,
        BulkTypeView,
        BulkLineErrorView,
        BulkOutcomeView,
        BulkReportView,
        BulkJobView,
        ImportReportView,
        Section,
        RecordDateView,
        Flag,
        RecordKey,
        AlsoFromView,
        RecordSummaryView,
        RecordPageView,
        ChangedFieldView,
        ChangedRecordView,
        ChangesView,
        RecordFilter,
        ReferenceView,
        ProvenanceAgentView,
        ProvenanceView,
        OriginalsView,
        RecordDetailView,
        NarrativeStyle,
        NarrativeNode,
        NarrativeCell,
        ClinicalSectionView,
        ClinicalDocumentView,
        AttachmentView,
        AgeUnit,
        AgeView,
        LabelledView,
        PatientHeaderView,
        SectionNoteView,
        ChartSectionView,
        PersonSourceView,
        PersonView,
        SamePersonView,
        PeopleView,
        ChartView,
        ChartOf,
        OverviewKind,
        OverviewBlockView,
        OverviewView,
        MeasuredView,
        MeasurementView,
        TrendView,
        TimelineFilter,
        YearView,
        SnippetPart,
        SearchHitView,
        ProblemView,
        AccessAct,
        AccessLogView,
        ExportFormat,
        Every,
        PrivacySettingsView,
        PrivacyView,
        ScheduleSettingsView,
        ScheduleWait,
        ConnectionScheduleView,
        ScheduleView,
        AppStatusView,
        Event,
    );
    text.push_str(&declare_trace(config));
    text
}

/// What the screen for testers shows.
fn declare_trace(config: &Config) -> String {
    let mut text = String::new();
    declare!(text, config:
        TraceKind,
        TraceStep,
        TraceOutcome,
        TracePart,
        TracePartView,
        TraceStepView,
        TraceFlowView,
        TraceView,
    );
    text
}

/// Writes a file of the window anew where that is wanted; else it has to be as it would be written.
fn hold(file: &str, wanted: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../ui/src")
        .join(file);
    if std::env::var_os("UPDATE_BINDINGS").is_some() {
        // What could not be written is found to be stale below.
        std::fs::write(&path, wanted).ok();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "ui/src/{file} is stale: run UPDATE_BINDINGS=1 cargo test -p satchel-core --test bindings"
    );
}

#[test]
fn the_windows_types_are_those_of_the_engine() {
    hold("api/bindings.ts", &declarations());
}

#[test]
fn the_window_knows_every_word_of_the_engine() {
    let english = serde_json::to_string_pretty(&satchel_core::wording::english());
    hold(
        "i18n/engine.json",
        &(english.expect("words are text") + "\n"),
    );
}
