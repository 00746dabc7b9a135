//! Plans, goals, the team and the family's illnesses.

use serde_json::{Value, json};

use super::calendar::Moment;
use super::chart::Chart;
use super::illness::{Illness, concept_of, narrative};
use super::json::{LOINC, ROLE_CODE, SNOMED, Term, coding, concept, hl7_concept, merge, quantity};
use super::registry;
use super::visits::Visit;

/// What everybody of the chart wants to reach. Gives the references.
pub(super) fn write_goals(
    chart: &mut Chart<'_>,
    visit: &Visit,
    problems: &[String],
    need: Option<&str>,
) -> Vec<String> {
    let person = chart.person;
    let mut goals = Vec::new();
    let due = visit.at.day.plus(180);
    if person.since(Illness::Diabetes).is_some() {
        let target = json!({"measure": concept(LOINC, ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood")),
            "detailRange": {"high": quantity(70, 1, "%", "%")}, "dueDate": due.iso()});
        goals.push(goal(
            chart,
            visit,
            "Hemoglobin A1c below 7.0 %",
            &problems[..1],
            Some(target),
        ));
    }
    if person.since(Illness::Hypertension).is_some() {
        let target = json!({"measure": concept(LOINC, ("8480-6", "Systolic blood pressure")),
            "detailQuantity": {"value": 130, "comparator": "<", "unit": "mm[Hg]", "system": super::json::UCUM, "code": "mm[Hg]"}, "dueDate": due.iso()});
        goals.push(goal(
            chart,
            visit,
            "Blood pressure below 130/80 mm Hg",
            &problems[..1],
            Some(target),
        ));
    }
    let text = if person.is_child() {
        "An hour of play outdoors every day"
    } else {
        "Walk for half an hour on five days a week"
    };
    goals.push(goal(
        chart,
        visit,
        text,
        &[],
        Some(json!({"dueDate": due.iso()})),
    ));
    if let Some(need) = need {
        goals.push(goal(
            chart,
            visit,
            "Enough healthy food for the household",
            &[need.to_owned()],
            None,
        ));
    }
    goals
}

fn goal(
    chart: &mut Chart<'_>,
    visit: &Visit,
    text: &str,
    addresses: &[String],
    target: Option<Value>,
) -> String {
    let addresses: Vec<Value> = addresses
        .iter()
        .map(|reference| json!({"reference": reference}))
        .collect();
    let mut body = json!({
        "lifecycleStatus": if chart.person.death.is_some() { "cancelled" } else { "active" },
        "achievementStatus": hl7_concept("goal-achievement", "in-progress", "In Progress"),
        "category": [hl7_concept("goal-category", "behavioral", "Behavioral")],
        "description": {"text": text},
        "subject": chart.subject(),
        "startDate": visit.at.day.iso(),
        "expressedBy": registry::doctor(visit.doctor).as_reference(),
    });
    if !addresses.is_empty() {
        merge(&mut body, json!({"addresses": addresses}));
    }
    if let Some(target) = target {
        merge(&mut body, json!({"target": [target]}));
    }
    chart.add("Goal", "us-core-goal", visit.at.plus(70), body)
}

/// The team: doctors, nurse, the person, the family. Gives the reference.
pub(super) fn write_team(
    chart: &mut Chart<'_>,
    visit: &Visit,
    relative: &(String, String),
) -> String {
    let person = chart.person;
    let role = |term: Term| json!([concept(SNOMED, term)]);
    let mut participants = vec![
        json!({"role": role(("453231000124104", "Primary care provider (occupation)")),
            "member": registry::doctor(super::patient::general_practitioner(person)).as_reference(),
            "onBehalfOf": registry::organization_reference(registry::CLINIC)}),
        json!({"role": role(("224535009", "Registered nurse (occupation)")), "member": registry::doctor(registry::NURSE).role_reference()}),
        json!({"role": role(("116154003", "Patient (person)")), "member": chart.subject()}),
        json!({"role": role(("133932002", "Caregiver (person)")), "member": {"reference": relative.0, "display": relative.1}}),
    ];
    if person.since(Illness::Diabetes).is_some() {
        participants.push(json!({"role": role(("61894003", "Endocrinologist (occupation)")), "member": registry::doctor(registry::ENDOCRINOLOGY).as_reference()}));
    }
    if person.since(Illness::HeartFailure).is_some()
        || person.since(Illness::AtrialFibrillation).is_some()
    {
        participants.push(json!({"role": role(("17561000", "Cardiologist (occupation)")), "member": registry::doctor(registry::CARDIOLOGY).as_reference()}));
    }
    if person.since(Illness::Depression).is_some() {
        participants.push(json!({"role": role(("80584001", "Psychiatrist (occupation)")), "member": registry::doctor(registry::PSYCHIATRY).as_reference()}));
    }
    let mut period = json!({"start": visit.at.day.plus(-900).max(person.birth).iso_month()});
    if let Some(death) = person.death {
        merge(&mut period, json!({"end": death.iso()}));
    }
    chart.add("CareTeam", "us-core-careteam", visit.at.plus(71), json!({
        "status": if person.death.is_some() { "inactive" } else { "active" },
        "category": [{"coding": [coding(LOINC, "LA28865-6", "Longitudinal care-coordination focused care team")]}],
        "name": format!("Care team of {}", person.display_name()),
        "subject": chart.subject(),
        "period": period,
        "participant": participants,
        "managingOrganization": [registry::organization_reference(registry::CLINIC)],
    }))
}

/// The assessment and plan of the last visit, and an older one that is over.
pub(super) fn write_plans(
    chart: &mut Chart<'_>,
    visit: &Visit,
    problems: &[String],
    goals: &[String],
    team: &str,
) {
    let person = chart.person;
    let illness = person
        .illnesses
        .first()
        .map_or(Illness::Migraine, |(illness, _)| *illness);
    let lines = advice(illness);
    let over = person.death.is_some();
    for (status, text, start) in [
        (
            if over { "revoked" } else { "active" },
            format!(
                "Assessment: {}, stable. Plan: {}.",
                illness.name(),
                lines.join("; ")
            ),
            visit.at.day,
        ),
        (
            "completed",
            format!(
                "Assessment: {}, newly found. Plan: teaching, and a visit in three months.",
                illness.name()
            ),
            person
                .illnesses
                .first()
                .map_or(visit.at.day, |(_, since)| *since),
        ),
    ] {
        let current = status != "completed";
        let activity: Vec<Value> = lines
            .iter()
            .map(|line| {
                json!({"detail": {
                    "kind": "ServiceRequest",
                    "status": if current { "in-progress" } else { "completed" },
                    "description": line,
                    "performer": [chart.subject()],
                }})
            })
            .collect();
        let mut period = json!({"start": start.iso()});
        if !current || over {
            merge(
                &mut period,
                json!({"end": start.plus(95).min(person.end()).max(start).iso()}),
            );
        }
        let mut body = json!({
            "text": narrative_additional(&text),
            "status": status,
            "intent": "plan",
            "category": [{"coding": [coding("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan", "Assessment and Plan of Treatment")]}],
            "title": format!("Plan for {}", illness.name()),
            "description": text,
            "subject": chart.subject(),
            "period": period,
            "created": start.iso(),
            "author": registry::doctor(visit.doctor).as_reference(),
            "contributor": [registry::doctor(visit.doctor).as_reference()],
            "addresses": [{"reference": problems[0]}],
            "activity": activity,
        });
        if current {
            let goals: Vec<Value> = goals
                .iter()
                .map(|goal| json!({"reference": goal}))
                .collect();
            merge(
                &mut body,
                json!({"goal": goals, "careTeam": [{"reference": team}], "encounter": {"reference": visit.reference}}),
            );
        }
        let at: Moment = if current {
            visit.at.plus(72)
        } else {
            start.at(930)
        };
        chart.add("CarePlan", "us-core-careplan", at, body);
    }
}

fn narrative_additional(text: &str) -> Value {
    let mut value = narrative(text);
    merge(&mut value, json!({"status": "additional"}));
    value
}

fn advice(illness: Illness) -> [&'static str; 3] {
    match illness {
        Illness::Diabetes => [
            "Measure glucose before breakfast",
            "Eye examination once a year",
            "Look at the feet every evening",
        ],
        Illness::Hypertension | Illness::HeartFailure => [
            "Weigh every morning",
            "Less than 2 g of salt a day",
            "Measure blood pressure three times a week",
        ],
        Illness::Asthma | Illness::Copd => [
            "Carry the inhaler",
            "Keep away from smoke",
            "Written action plan handed out",
        ],
        Illness::Depression | Illness::Anxiety => [
            "Talk therapy every two weeks",
            "Regular sleep",
            "Call at once if thoughts turn dark",
        ],
        Illness::Eczema => [
            "Moisturizer twice a day",
            "Short lukewarm baths",
            "Cotton clothes",
        ],
        _ => [
            "Exercise as tolerated",
            "Balanced diet",
            "Come back if it gets worse",
        ],
    }
}

/// What runs in the family: mother and father.
pub(super) fn write_family(chart: &mut Chart<'_>, visit: &Visit) {
    let inherited = chart
        .person
        .illnesses
        .first()
        .map_or(Illness::Hypertension, |(illness, _)| *illness);
    for (relation, sex, illness, died) in [
        (("MTH", "mother"), ("female", "Female"), inherited, None),
        (
            ("FTH", "father"),
            ("male", "Male"),
            Illness::Hypertension,
            Some(71),
        ),
    ] {
        let years = chart.rng.between(35, 60);
        let mut body = json!({
            "extension": [{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-familymemberhistory-recorder",
                "valueReference": registry::doctor(visit.doctor).as_reference()}],
            "status": "completed",
            "patient": chart.subject(),
            "date": visit.at.day.iso_month(),
            "relationship": {"coding": [coding(ROLE_CODE, relation.0, relation.1)], "text": relation.1},
            "sex": {"coding": [coding("http://hl7.org/fhir/administrative-gender", sex.0, sex.1)]},
            "condition": [{"code": concept_of(illness), "onsetAge": {"value": years, "unit": "years", "system": super::json::UCUM, "code": "a"}}],
        });
        if let (Some(age), false) = (died, chart.person.is_child()) {
            merge(
                &mut body,
                json!({"deceasedAge": {"value": age, "unit": "years", "system": super::json::UCUM, "code": "a"}}),
            );
        } else {
            merge(&mut body, json!({"deceasedBoolean": false}));
        }
        chart.add(
            "FamilyMemberHistory",
            "us-core-familymemberhistory",
            visit.at.plus(73),
            body,
        );
    }
}
