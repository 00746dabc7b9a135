//! The first page of a chart, and one measurement over time, over the whole product.

use crate::records::{key, setting_with};
use satchel_core::problem::ProblemCode;
use satchel_core::view::{
    ChartOf, Flag, OverviewBlockView, OverviewKind, OverviewView, Section, TimelineFilter,
};
use serde_json::{Value, json};

const LOINC: &str = "http://loinc.org";

fn lab(patient: &str, id: &str, day: &str, value: Value) -> Value {
    let mut record = json!({
        "resourceType": "Observation", "id": id, "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "laboratory"}]}],
        "code": {"coding": [{"system": LOINC, "code": "99999-7", "display": "Satchel factor"}]},
        "subject": {"reference": format!("Patient/{patient}")},
        "effectiveDateTime": day,
        "valueQuantity": value,
    });
    if id == "wrong" {
        record["status"] = json!("entered-in-error");
    }
    record
}

fn problem(patient: &str, id: &str, status: &str) -> Value {
    json!({
        "resourceType": "Condition", "id": id,
        "clinicalStatus": {"coding": [{"code": status}]},
        "category": [{"coding": [{"code": "problem-list-item"}]}],
        "code": {"text": format!("Condition of {id}")},
        "subject": {"reference": format!("Patient/{patient}")},
        "onsetDateTime": "2031-01-01",
    })
}

fn visit(patient: &str, id: &str, day: &str, status: &str) -> Value {
    json!({
        "resourceType": "Encounter", "id": id, "status": status, "class": {"code": "AMB"},
        "type": [{"text": format!("Visit {id}")}],
        "subject": {"reference": format!("Patient/{patient}")},
        "period": {"start": day},
    })
}

fn block(overview: &OverviewView, kind: OverviewKind) -> &OverviewBlockView {
    let found = overview.blocks.iter().find(|block| block.kind == kind);
    found.expect("every kind has its block")
}

fn ids(overview: &OverviewView, kind: OverviewKind) -> Vec<&str> {
    let rows = block(overview, kind).rows.iter();
    rows.map(|row| row.key.id.as_str()).collect()
}

#[tokio::test]
async fn the_first_page_says_what_is_true_now_and_works_without_a_network() {
    let setting = setting_with(|patient| {
        let striking = |id: &str, day: &str| {
            let mut record = lab(patient, id, day, json!({"value": 2, "unit": "g/L"}));
            record["interpretation"] = json!([{"coding": [{"code": "HH"}]}]);
            record
        };
        vec![
            problem(patient, "goes-on", "active"),
            problem(patient, "is-over", "resolved"),
            visit(patient, "next", "2999-03-01T09:00:00Z", "planned"),
            visit(patient, "called-off", "2999-02-01T09:00:00Z", "cancelled"),
            striking("old", "2031-01-01"),
            striking("new", "2031-02-01"),
            lab(
                patient,
                "wrong",
                "2031-03-01",
                json!({"value": 9, "unit": "g/L"}),
            ),
        ]
    })
    .await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    setting.mock.stop().await;

    let of = ChartOf::Connection { connection_id: id };
    let overview = setting.engine.overview(&of).await.unwrap();
    let problems = ids(&overview, OverviewKind::Problems);
    assert_eq!(problems[0], "goes-on", "the newest first");
    assert!(!problems.contains(&"is-over"));
    assert_eq!(ids(&overview, OverviewKind::Upcoming), ["next"]);
    assert!(!ids(&overview, OverviewKind::Visits).contains(&"next"));
    let labs = block(&overview, OverviewKind::Labs);
    let factor: Vec<&str> = labs
        .rows
        .iter()
        .filter(|row| row.title == "Satchel factor")
        .map(|row| row.key.id.as_str())
        .collect();
    assert_eq!(factor, ["new"], "the last one of each test");
    assert_eq!(labs.rows[0].key.id, "new", "what stands out comes first");
    for kind in [OverviewKind::Medications, OverviewKind::Allergies] {
        assert!(!ids(&overview, kind).is_empty(), "{kind:?}");
    }
}

#[tokio::test]
async fn a_measurement_over_time_keeps_units_apart_and_leaves_out_what_was_a_mistake() {
    let setting = setting_with(|patient| {
        vec![
            lab(
                patient,
                "first",
                "2030",
                json!({"value": 1.50, "comparator": "<", "unit": "g/L", "code": "g/L"}),
            ),
            lab(patient, "second", "2031-02-01", json!({"value": 2, "unit": "g/L", "code": "g/L"})),
            lab(patient, "third", "2031-03-01", json!({"value": 210, "unit": "mg/dL"})),
            lab(patient, "wrong", "2031-04-01", json!({"value": 9, "unit": "g/L"})),
            // Another thing whose code has the same digits.
            json!({
                "resourceType": "Observation", "id": "other", "status": "final",
                "code": {"coding": [{"system": LOINC, "code": "7-99999", "display": "Another factor"}]},
                "subject": {"reference": format!("Patient/{patient}")},
                "effectiveDateTime": "2031-01-01", "valueQuantity": {"value": 3, "unit": "g/L"},
            }),
        ]
    })
    .await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();

    let of = ChartOf::Connection {
        connection_id: id.clone(),
    };
    let given = key(&id, "Observation", "second");
    let trend = setting.engine.trend(&of, &given).await.unwrap();
    let points: Vec<_> = trend
        .points
        .iter()
        .map(|point| {
            let one = &point.values[0];
            (point.key.id.as_str(), one.number, one.unit.as_deref())
        })
        .collect();
    assert_eq!(
        points,
        [
            ("first", 1.5, Some("g/L")),
            ("second", 2.0, Some("g/L")),
            ("third", 210.0, Some("mg/dL"))
        ]
    );
    assert_eq!(trend.points[0].date.value, "2030", "as precise as given");
    assert_eq!(trend.points[0].values[0].comparator.as_deref(), Some("<"));
    assert!(!trend.cut);

    let unknown = key(&id, "Observation", "nowhere");
    let problem = setting.engine.trend(&of, &unknown).await.unwrap_err();
    assert_eq!(problem.code, ProblemCode::NotFound);
    setting.mock.stop().await;
}

#[tokio::test]
async fn everything_by_date_can_be_jumped_in_by_year_and_narrowed_to_what_stands_out() {
    let setting = setting_with(|patient| {
        let mut high = lab(
            patient,
            "high",
            "2031-05-05",
            json!({"value": 9, "unit": "g/L"}),
        );
        high["interpretation"] = json!([{"coding": [{"code": "H"}]}]);
        let mut undated = problem(patient, "undated", "active");
        undated.as_object_mut().unwrap().remove("onsetDateTime");
        vec![
            high,
            undated,
            lab(patient, "year", "2031", json!({"value": 1, "unit": "g/L"})),
            visit(patient, "next", "2999-03-01T09:00:00Z", "planned"),
        ]
    })
    .await;
    let id = setting.connect(setting.patient()).await;
    setting.engine.sync(&id).await.unwrap();
    let engine = &setting.engine;
    let of = ChartOf::Connection {
        connection_id: id.clone(),
    };

    let everything = TimelineFilter::default();
    let years = engine.timeline_years(&of, &everything).await.unwrap();
    assert_eq!((years[0].year, years[0].records), (Some(2999), 1));
    assert_eq!((years[1].year, years[1].records), (Some(2031), 2));
    assert_eq!(
        years.last().unwrap().year,
        None,
        "what has no date comes last"
    );
    // The rows of a year begin behind those of all years before it in the list.
    let page = engine.timeline(&of, &everything, 1, 2).await.unwrap();
    let ids: Vec<&str> = page.rows.iter().map(|row| row.key.id.as_str()).collect();
    assert_eq!(ids, ["high", "year"]);
    let stored = engine.connection(&id).await.unwrap().record_count;
    assert_eq!(page.total, stored, "nothing is left out");
    let all: u64 = years.iter().map(|year| year.records).sum();
    assert_eq!(all, stored);

    let labs = TimelineFilter {
        section: Some(Section::Labs),
        abnormal: true,
    };
    let page = engine.timeline(&of, &labs, 0, 1000).await.unwrap();
    assert_eq!(page.rows[0].key.id, "high");
    assert_eq!(page.rows.len() as u64, page.total);
    for row in &page.rows {
        assert!(row.flag.is_some_and(|flag| flag != Flag::Normal), "{row:?}");
        assert_eq!(row.section, Section::Labs);
    }
    setting.mock.stop().await;
}
