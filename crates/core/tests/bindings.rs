//! The TypeScript of the window is generated from `satchel_core::view`; drift fails here.
//! `UPDATE_BINDINGS=1 cargo test -p satchel-core --test bindings` writes it anew.

use satchel_core::schedule::Every;
use satchel_core::trace::*;
use satchel_core::view::*;
use std::path::PathBuf;
use ts_rs::{Config, TS};

macro_rules! declare {
    ($text:ident, $config:ident: $($name:ty),* $(,)?) => {
        $(
            $text.push_str("\nexport ");
            $text.push_str(<$name as TS>::decl(&$config).trim());
            $text.push('\n');
        )*
    };
}

fn declarations() -> String {
    let config = Config::new();
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
        AttachmentView,
        LabelledView,
        PatientHeaderView,
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
        Every,
        PrivacySettingsView,
        PrivacyView,
        ScheduleSettingsView,
        ScheduleWait,
        ConnectionScheduleView,
        ScheduleView,
        AppStatusView,
        Event,
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

#[test]
fn the_windows_types_are_those_of_the_engine() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/api/bindings.ts");
    let wanted = declarations();
    if std::env::var_os("UPDATE_BINDINGS").is_some() {
        std::fs::write(&path, &wanted).expect("bindings.ts is written");
    }
    let found = std::fs::read_to_string(&path).expect("bindings.ts is there");
    assert!(
        found == wanted,
        "ui/src/api/bindings.ts is stale: run UPDATE_BINDINGS=1 cargo test -p satchel-core --test bindings"
    );
}
