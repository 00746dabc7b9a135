//! Social history, screening questionnaires and what they found.

use serde_json::{Value, json};

use super::chart::Chart;
use super::illness::Illness;
use super::json::{LOINC, SNOMED, Term, UCUM, coding, concept, hl7_concept, merge};
use super::person::{Person, Sex, Smoking};
use super::registry;
use super::visits::{Kind, Visit};

const SOCIAL: (&str, &str) = ("social-history", "Social History");
const SURVEY: (&str, &str) = ("survey", "Survey");
const SCREENING: &str = "us-core-observation-screening-assessment";

/// PHQ-9, item by item.
const PHQ9: [Term; 9] = [
    (
        "44250-9",
        "Little interest or pleasure in doing things in last 2 weeks",
    ),
    (
        "44255-8",
        "Feeling down, depressed, or hopeless in last 2 weeks",
    ),
    (
        "44259-0",
        "Trouble falling or staying asleep, or sleeping too much in last 2 weeks",
    ),
    (
        "44254-1",
        "Feeling tired or having little energy in last 2 weeks",
    ),
    ("44251-7", "Poor appetite or overeating in last 2 weeks"),
    (
        "44258-2",
        "Feeling bad about yourself - or that you are a failure or have let yourself or your family down in last 2 weeks",
    ),
    (
        "44252-5",
        "Trouble concentrating on things, such as reading the newspaper or watching television in last 2 weeks",
    ),
    (
        "44253-3",
        "Moving or speaking so slowly that other people could have noticed. Or the opposite - being so fidgety or restless that you have been moving around a lot more than usual in last 2 weeks",
    ),
    (
        "44260-8",
        "Thoughts that you would be better off dead, or of hurting yourself in some way in last 2 weeks",
    ),
];

const HOW_OFTEN: [Term; 4] = [
    ("LA6568-5", "Not at all"),
    ("LA6569-3", "Several days"),
    ("LA6570-1", "More than half the days"),
    ("LA6571-9", "Nearly every day"),
];

/// Who answers for `person`: the person, or a parent.
fn is_asked(person: &Person, visit: &Visit) -> bool {
    person.age(visit.at.day) >= 13
}

/// Writes what is asked at a yearly visit.
pub(super) fn write(chart: &mut Chart<'_>, visit: &Visit, last: bool) {
    if visit.kind != Kind::Wellness && !last {
        return;
    }
    let person = chart.person;
    if is_asked(person, visit) && (visit.ordinal.is_multiple_of(3) || last) {
        smoking(chart, visit);
    }
    let low =
        person.has(Illness::Depression, visit.at.day) || person.has(Illness::Anxiety, visit.at.day);
    if is_asked(person, visit) && (last || (low && visit.ordinal.is_multiple_of(2))) {
        phq9(chart, visit, low);
    }
    if last {
        prapare(chart, visit);
        hunger(chart, visit);
        if is_asked(person, visit) {
            occupation(chart, visit);
            if person.age(visit.at.day) >= 18 {
                orientation(chart, visit);
            }
        }
    }
}

fn smoking(chart: &mut Chart<'_>, visit: &Visit) {
    let adult = chart.person.age(visit.at.day) >= 18;
    let term = match chart.person.smoker {
        Smoking::Daily if adult => ("449868002", "Smokes tobacco daily (finding)"),
        Smoking::Former if adult => ("8517006", "Ex-smoker (finding)"),
        _ => ("266919005", "Never smoked tobacco (finding)"),
    };
    let code = concept(LOINC, ("72166-2", "Tobacco smoking status"));
    chart.observe(
        visit,
        SOCIAL,
        "us-core-smokingstatus",
        code,
        json!({"valueCodeableConcept": concept(SNOMED, term)}),
    );
}

/// Pregnant or not, asked of women of that age.
pub(super) fn pregnancy(chart: &mut Chart<'_>, visit: &Visit, last: bool) {
    let person = chart.person;
    if person.sex != Sex::Female || !(15..50).contains(&person.age(visit.at.day)) {
        return;
    }
    let day = visit.at.day;
    let expecting = person
        .gave_birth
        .is_some_and(|birth| (1..270).contains(&birth.days_since(day)));
    let term = match visit.kind {
        _ if last && expecting => ("77386006", "Pregnancy (finding)"),
        Kind::Prenatal => ("77386006", "Pregnancy (finding)"),
        _ if last => ("60001007", "Not pregnant (finding)"),
        _ => return,
    };
    let code = concept(LOINC, ("82810-3", "Pregnancy status"));
    let value = json!({"valueCodeableConcept": concept(SNOMED, term)});
    chart.observe(
        visit,
        SOCIAL,
        "us-core-observation-pregnancystatus",
        code,
        value,
    );
}

fn occupation(chart: &mut Chart<'_>, visit: &Visit) {
    let work = *chart.rng.pick(&[
        "School teacher",
        "Bus driver",
        "Nurse",
        "Carpenter",
        "Shop assistant",
        "Software tester",
        "Retired fisherman",
        "Student",
    ]);
    let code = concept(LOINC, ("11341-5", "History of Occupation"));
    let start = visit.at.day.year() - 6;
    let more = json!({
        "valueCodeableConcept": {"text": work},
        "effectivePeriod": {"start": start.to_string()},
    });
    let mut body = json!({
        "status": "final",
        "category": [hl7_concept("observation-category", SOCIAL.0, SOCIAL.1)],
        "code": code,
        "subject": chart.subject(),
        "encounter": {"reference": visit.reference},
    });
    merge(&mut body, more);
    chart.add(
        "Observation",
        "us-core-observation-occupation",
        visit.at.plus(90),
        body,
    );
}

fn orientation(chart: &mut Chart<'_>, visit: &Visit) {
    let code = concept(LOINC, ("76690-7", "Sexual orientation"));
    let declined = hl7_concept("data-absent-reason", "asked-declined", "Asked But Declined");
    chart.observe(
        visit,
        SOCIAL,
        "us-core-observation-sexual-orientation",
        code,
        json!({"dataAbsentReason": declined}),
    );
}

fn response(chart: &mut Chart<'_>, visit: &Visit, panel: Term, items: &[Value]) -> String {
    chart.add("QuestionnaireResponse", "us-core-questionnaireresponse", visit.at.plus(60), json!({
        "questionnaire": format!("http://loinc.org/q/{}", panel.0),
        "_questionnaire": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/display", "valueString": panel.1}]},
        "status": "completed",
        "subject": chart.subject(),
        "encounter": {"reference": visit.reference},
        "authored": visit.at.plus(12).local(),
        "author": registry::doctor(visit.doctor).as_reference(),
        "source": chart.subject(),
        "item": items,
    }))
}

fn answer(question: Term, value: &Value) -> Value {
    json!({"linkId": format!("/{}", question.0), "text": question.1, "answer": [value]})
}

fn phq9(chart: &mut Chart<'_>, visit: &Visit, low: bool) {
    let mut items = Vec::new();
    let mut observed = Vec::new();
    let mut total = 0;
    for (position, question) in PHQ9.into_iter().enumerate() {
        let highest = if position == 8 {
            0
        } else if low {
            3
        } else {
            1
        };
        let score = chart.rng.between(0, highest);
        total += score;
        let given = HOW_OFTEN[usize::try_from(score).unwrap_or(0)];
        items.push(answer(
            question,
            &json!({"valueCoding": coding(LOINC, given.0, given.1)}),
        ));
        observed.push((question, given));
    }
    let score = json!({"value": total, "unit": "{score}", "system": UCUM, "code": "{score}"});
    let total_code = (
        "44261-6",
        "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]",
    );
    items.push(answer(total_code, &json!({"valueDecimal": total})));
    let panel = (
        "44249-1",
        "PHQ-9 quick depression assessment panel [Reported.PHQ]",
    );
    let source = response(chart, visit, panel, &items);
    let derived = json!([{"reference": source}]);
    let mut members = Vec::new();
    for (question, given) in observed.into_iter().take(if low { 9 } else { 2 }) {
        let more = json!({"valueCodeableConcept": concept(LOINC, given), "derivedFrom": derived});
        members.push(json!({"reference": chart.observe(visit, SURVEY, SCREENING, concept(LOINC, question), more)}));
    }
    let more = json!({"valueQuantity": score, "derivedFrom": derived});
    members.push(json!({"reference": chart.observe(visit, SURVEY, SCREENING, concept(LOINC, total_code), more)}));
    chart.observe(
        visit,
        SURVEY,
        SCREENING,
        concept(LOINC, panel),
        json!({"hasMember": members, "derivedFrom": derived}),
    );
}

/// Survey and social need at once: two categories.
fn needs_category() -> Value {
    json!([
        hl7_concept("observation-category", SURVEY.0, SURVEY.1),
        {"coding": [coding("http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "sdoh", "SDOH")]},
    ])
}

fn prapare(chart: &mut Chart<'_>, visit: &Visit) {
    let stress = *chart.rng.pick(&[
        ("LA6568-5", "Not at all"),
        ("LA13863-8", "A little bit"),
        ("LA13909-9", "Somewhat"),
    ]);
    let worried = if chart.rng.chance(20) {
        ("LA33-6", "Yes")
    } else {
        ("LA32-8", "No")
    };
    let household = chart.rng.between(1, 6);
    let coded = |term: Term| {
        (
            json!({"valueCoding": coding(LOINC, term.0, term.1)}),
            json!({"valueCodeableConcept": concept(LOINC, term)}),
        )
    };
    let people = json!({"valueQuantity": {"value": household, "unit": "{#}", "system": UCUM, "code": "{#}"}});
    let questions: [(Term, (Value, Value)); 5] = [
        (
            (
                "63512-8",
                "How many people are living or staying at this address [#]",
            ),
            (json!({"valueDecimal": household}), people),
        ),
        (
            ("71802-3", "Housing status"),
            coded(("LA30189-7", "I have housing")),
        ),
        (
            (
                "93033-9",
                "Are you worried about losing your housing [PRAPARE]",
            ),
            coded(worried),
        ),
        (
            (
                "93030-5",
                "Has lack of transportation kept you from medical appointments, meetings, work, or from getting things needed for daily living",
            ),
            coded(("LA32-8", "No")),
        ),
        (("93038-8", "Stress level"), coded(stress)),
    ];
    let items: Vec<Value> = questions
        .iter()
        .map(|(question, values)| answer(*question, &values.0))
        .collect();
    let panel = (
        "93025-5",
        "Protocol for Responding to and Assessing Patients' Assets, Risks, and Experiences [PRAPARE]",
    );
    let source = response(chart, visit, panel, &items);
    let mut members = Vec::new();
    for (question, (_, value)) in questions {
        let mut more =
            json!({"category": needs_category(), "derivedFrom": [{"reference": source}]});
        merge(&mut more, value);
        members.push(json!({"reference": chart.observe(visit, SURVEY, SCREENING, concept(LOINC, question), more)}));
    }
    let more = json!({"category": needs_category(), "hasMember": members, "derivedFrom": [{"reference": source}]});
    chart.observe(visit, SURVEY, SCREENING, concept(LOINC, panel), more);
}

/// Whether the household of `person` has had too little to eat.
pub(super) fn is_hungry(person: &Person) -> bool {
    person.index % 4 == 1 || person.index.is_multiple_of(7)
}

fn hunger(chart: &mut Chart<'_>, visit: &Visit) {
    let risk = if is_hungry(chart.person) {
        ("LA19952-3", "At risk")
    } else {
        ("LA19983-8", "No risk")
    };
    let more = json!({"category": needs_category(), "valueCodeableConcept": concept(LOINC, risk)});
    let code = concept(LOINC, ("88124-3", "Food insecurity risk [HVS]"));
    chart.observe(visit, SURVEY, SCREENING, code, more);
}
