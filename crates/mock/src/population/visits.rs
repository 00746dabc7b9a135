//! When a person sees the doctor and why: the skeleton on which everything else hangs.

use serde_json::{Value, json};

use super::calendar::{Day, Moment};
use super::chart::Chart;
use super::illness::{ACUTE, emergency};
use super::json::{ACT_CODE, ICD10, SNOMED, Term, coding, concept, hl7_concept, merge};
use super::person::Person;
use super::registry;
use super::rng::Rng;

/// Why there is a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The yearly one, or a well-child visit.
    Wellness,
    /// For a lasting illness.
    FollowUp,
    /// For a short illness: an index into [`ACUTE`].
    Acute(usize),
    /// Emergency department.
    Emergency,
    /// Days in hospital.
    Inpatient,
    /// By video.
    Telehealth,
    /// In pregnancy.
    Prenatal,
}

/// A visit.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) at: Moment,
    pub(super) kind: Kind,
    pub(super) doctor: usize,
    /// `Encounter/…`, once written.
    pub(super) reference: String,
    /// Number of this visit among those of its kind.
    pub(super) ordinal: usize,
}

/// Ages, in months, at which a child is seen.
const WELL_CHILD: [i32; 11] = [1, 2, 4, 6, 9, 12, 15, 18, 24, 30, 36];

/// All visits of `person`, oldest first, without their `Encounter`.
pub(super) fn plan(person: &Person, rng: &mut Rng) -> Vec<Visit> {
    let mut visits = Vec::new();
    let end = person.end().plus(-3);
    if person.is_child() {
        plan_child(person, rng, end, &mut visits);
    } else {
        plan_adult(person, rng, end, &mut visits);
    }
    visits.sort_by_key(|visit: &Visit| visit.at);
    for position in 0..visits.len() {
        let kind = visits[position].kind;
        visits[position].ordinal = visits[..position]
            .iter()
            .filter(|earlier| earlier.kind == kind)
            .count();
    }
    visits
}

fn push(visits: &mut Vec<Visit>, rng: &mut Rng, day: Day, kind: Kind, doctor: usize, end: Day) {
    let day = if matches!(kind, Kind::Emergency | Kind::Inpatient) {
        day
    } else {
        day.weekday()
    };
    if day <= end {
        let at = day.at(rng.between(16, 32) * 30);
        visits.push(Visit {
            at,
            kind,
            doctor,
            reference: String::new(),
            ordinal: 0,
        });
    }
}

fn plan_child(person: &Person, rng: &mut Rng, end: Day, visits: &mut Vec<Visit>) {
    let doctor = registry::PEDIATRICS;
    let yearly = (4..18).map(|year| year * 12);
    for months in WELL_CHILD.into_iter().chain(yearly) {
        let day = person.birth.plus_months(months).plus(rng.between(1, 12));
        push(visits, rng, day, Kind::Wellness, doctor, end);
    }
    let years = person.age(end).max(1);
    for year in 0..years {
        if year > 0 && rng.chance(55) {
            let day = person
                .birth
                .plus(i64::from(year) * 365 + rng.between(20, 340));
            let which = *rng.pick(&[0, 2, 3, 0]);
            push(visits, rng, day, Kind::Acute(which), doctor, end);
        }
    }
    // Everybody has been ill at least once not long ago.
    let recent = end.plus(-rng.between(60, 300));
    push(visits, rng, recent, Kind::Acute(3), doctor, end);
    let emergency = person
        .birth
        .plus(rng.between(300, end.days_since(person.birth).max(301)));
    push(
        visits,
        rng,
        emergency,
        Kind::Emergency,
        registry::EMERGENCY,
        end,
    );
}

fn plan_adult(person: &Person, rng: &mut Rng, end: Day, visits: &mut Vec<Visit>) {
    let chronic = person.is_chronic();
    let years = if chronic { 7 } else { 9 };
    let month = rng.between(0, 320);
    for year in 0..years {
        let day = end.plus(-i64::from(year) * 365 - month + rng.between(-9, 9));
        if person.age(day) < 12 {
            break;
        }
        let doctor = if person.age(day) < 18 {
            registry::PEDIATRICS
        } else {
            registry::FAMILY
        };
        push(visits, rng, day, Kind::Wellness, doctor, end);
        if chronic {
            let half = day.plus(182 + rng.between(-12, 12));
            let kind = if year % 4 == 2 {
                Kind::Telehealth
            } else {
                Kind::FollowUp
            };
            push(
                visits,
                rng,
                half,
                kind,
                if kind == Kind::Telehealth {
                    registry::NURSE
                } else {
                    doctor
                },
                end,
            );
        }
        if rng.chance(25) {
            let which = usize::try_from(rng.between(0, 4)).unwrap_or(0);
            let acute = day.plus(rng.between(30, 150));
            push(visits, rng, acute, Kind::Acute(which), registry::NURSE, end);
        }
    }
    let (cold, fright, stay) = (
        rng.between(40, 400),
        rng.between(400, 2_400),
        rng.between(200, 1_500),
    );
    push(
        visits,
        rng,
        end.plus(-cold),
        Kind::Acute(0),
        registry::NURSE,
        end,
    );
    push(
        visits,
        rng,
        end.plus(-fright),
        Kind::Emergency,
        registry::EMERGENCY,
        end,
    );
    if chronic || person.age(end) > 60 || rng.chance(30) {
        push(
            visits,
            rng,
            end.plus(-stay),
            Kind::Inpatient,
            registry::CARDIOLOGY,
            end,
        );
    }
    if let Some(birth) = person.gave_birth {
        for weeks in [30, 22, 14, 6, 2] {
            push(
                visits,
                rng,
                birth.plus(-weeks * 7),
                Kind::Prenatal,
                registry::OBSTETRICS,
                end,
            );
        }
    }
}

struct Shape {
    class: Term,
    kind: Term,
    minutes: i64,
    place: usize,
}

fn shape(kind: Kind) -> Shape {
    let office = |kind: Term, minutes| Shape {
        class: ("AMB", "ambulatory"),
        kind,
        minutes,
        place: registry::CLINIC,
    };
    match kind {
        Kind::Wellness => office(("185349003", "Encounter for check up (procedure)"), 40),
        Kind::FollowUp => office(("390906007", "Follow-up encounter (procedure)"), 25),
        Kind::Acute(_) => office(("185345009", "Encounter for symptom (procedure)"), 20),
        Kind::Prenatal => office(("424619006", "Prenatal visit (regime/therapy)"), 30),
        Kind::Telehealth => Shape {
            class: ("VR", "virtual"),
            kind: (
                "448337001",
                "Telemedicine consultation with patient (procedure)",
            ),
            minutes: 20,
            place: registry::CLINIC,
        },
        Kind::Emergency => Shape {
            class: ("EMER", "emergency"),
            kind: ("50849002", "Emergency room admission (procedure)"),
            minutes: 260,
            place: registry::HOSPITAL,
        },
        Kind::Inpatient => Shape {
            class: ("IMP", "inpatient encounter"),
            kind: ("32485007", "Hospital admission (procedure)"),
            minutes: 3 * 1_440 + 200,
            place: registry::HOSPITAL,
        },
    }
}

/// When the visit ends.
pub(super) fn end_of(visit: &Visit) -> Moment {
    visit.at.plus(shape(visit.kind).minutes)
}

/// Writes the `Encounter` of `visit` and notes its reference there.
pub(super) fn write_encounter(chart: &mut Chart<'_>, visit: &mut Visit) {
    let shape = shape(visit.kind);
    let doctor = registry::doctor(visit.doctor);
    let end = end_of(visit).min(chart.person.end().at(1_200));
    let mut body = json!({
        "identifier": [{"system": "https://harborstreet.example/visits", "value": format!("V{}", visit.at.day.compact())}],
        "status": "finished",
        "class": coding(ACT_CODE, shape.class.0, shape.class.1),
        "type": [concept(SNOMED, shape.kind)],
        "subject": chart.subject(),
        "participant": [{
            "type": [hl7_concept("v3-ParticipationType", "PPRF", "primary performer")],
            "period": {"start": visit.at.local(), "end": end.local()},
            "individual": doctor.as_reference(),
        }],
        "period": {"start": visit.at.local(), "end": end.local()},
        "reasonCode": [reason(chart.person, visit)],
        "serviceProvider": registry::organization_reference(shape.place),
    });
    if shape.class.0 != "VR" {
        merge(
            &mut body,
            json!({"location": [{"location": registry::location_reference(shape.place)}]}),
        );
    }
    if matches!(visit.kind, Kind::Inpatient | Kind::Emergency) {
        let disposition = hl7_concept("discharge-disposition", "home", "Home");
        merge(
            &mut body,
            json!({"hospitalization": {"dischargeDisposition": disposition}}),
        );
    }
    visit.reference = chart.add("Encounter", "us-core-encounter", end, body);
}

fn reason(person: &Person, visit: &Visit) -> Value {
    match visit.kind {
        Kind::Wellness if person.age(visit.at.day) < 18 => concept(
            ICD10,
            (
                "Z00.129",
                "Encounter for routine child health examination without abnormal findings",
            ),
        ),
        Kind::Wellness => concept(
            ICD10,
            (
                "Z00.00",
                "Encounter for general adult medical examination without abnormal findings",
            ),
        ),
        Kind::Acute(which) => concept(SNOMED, ACUTE[which].0),
        Kind::Emergency => concept(SNOMED, emergency(person).0),
        Kind::Prenatal => concept(SNOMED, ("72892002", "Normal pregnancy (finding)")),
        _ => match person.illnesses.first() {
            Some((illness, _)) => concept(SNOMED, illness.codes().0),
            None => json!({"text": "Follow-up"}),
        },
    }
}
