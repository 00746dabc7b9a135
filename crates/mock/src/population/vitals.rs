//! Vital signs of each visit, and the growth of children.

use serde_json::{Value, json};

use super::chart::Chart;
use super::illness::Illness;
use super::json::{LOINC, coding, concept, decimal, hl7_concept, merge, quantity};
use super::person::{Person, Sex};
use super::visits::{Kind, Visit};

const CATEGORY: (&str, &str) = ("vital-signs", "Vital Signs");

/// Age in months, then median height in millimetres and weight in hundred grams: girls, boys.
const GROWTH: [(i32, [i64; 2], [i64; 2]); 20] = [
    (0, [491, 499], [32, 33]),
    (2, [571, 584], [51, 56]),
    (4, [621, 639], [64, 70]),
    (6, [657, 676], [73, 79]),
    (9, [701, 720], [82, 89]),
    (12, [740, 757], [89, 96]),
    (18, [807, 823], [102, 109]),
    (24, [857, 868], [115, 122]),
    (36, [951, 961], [139, 143]),
    (48, [1_012, 1_024], [160, 163]),
    (60, [1_080, 1_090], [180, 184]),
    (72, [1_150, 1_155], [202, 207]),
    (96, [1_277, 1_280], [258, 256]),
    (120, [1_383, 1_387], [331, 321]),
    (144, [1_514, 1_491], [418, 407]),
    (156, [1_571, 1_562], [459, 454]),
    (168, [1_604, 1_638], [494, 510]),
    (180, [1_617, 1_700], [521, 563]),
    (192, [1_624, 1_735], [540, 609]),
    (216, [1_630, 1_761], [562, 672]),
];

/// Median head circumference in millimetres, girls and boys.
const HEAD: [(i32, [i64; 2]); 8] = [
    (0, [339, 345]),
    (2, [383, 391]),
    (4, [406, 416]),
    (6, [422, 433]),
    (12, [449, 461]),
    (18, [462, 474]),
    (24, [472, 483]),
    (36, [485, 495]),
];

fn at_age(months: i32, points: &[(i32, i64)]) -> i64 {
    let mut before = points[0];
    for point in points {
        if point.0 >= months {
            let span = i64::from(point.0 - before.0).max(1);
            return before.1 + (point.1 - before.1) * i64::from(months - before.0) / span;
        }
        before = *point;
    }
    before.1
}

/// Height in millimetres and weight in hundred grams on the day of `visit`.
pub(super) fn body(person: &Person, visit: &Visit) -> (i64, i64) {
    let months = visit.at.day.months_since(person.birth);
    if months < 216 {
        let column = usize::from(person.sex == Sex::Male);
        let heights: Vec<(i32, i64)> = GROWTH.iter().map(|row| (row.0, row.1[column])).collect();
        let weights: Vec<(i32, i64)> = GROWTH.iter().map(|row| (row.0, row.2[column])).collect();
        let off = person.percentile - 50;
        let height = at_age(months, &heights);
        let weight = at_age(months, &weights);
        return (height + height * off / 900, weight + weight * off / 320);
    }
    let years = i64::from(months / 12);
    let shrink = (years - 60).max(0) * 2;
    let heavy = if person.has(Illness::Diabetes, visit.at.day)
        || person.has(Illness::Hypertension, visit.at.day)
    {
        295
    } else {
        238
    };
    let index = heavy + person.percentile / 3 + (years - 40).clamp(-20, 25) / 2;
    let height = person.height - shrink;
    (height, height * height * index / 1_000_000)
}

/// Writes the vital signs of `visit`.
pub(super) fn write(chart: &mut Chart<'_>, visit: &Visit) {
    let person = chart.person;
    let months = visit.at.day.months_since(person.birth);
    let (height, weight) = body(person, visit);
    let weight = weight + chart.rng.between(-7, 7).min(weight / 60);
    let telehealth = visit.kind == Kind::Telehealth;
    if months >= 36 {
        blood_pressure(chart, visit);
    }
    if telehealth {
        refused(chart, visit);
        return;
    }
    let pulse = if months < 24 {
        122
    } else if months < 144 {
        92
    } else {
        73
    };
    let pulse = chart.rng.around(pulse, 14);
    vital(
        chart,
        visit,
        "us-core-heart-rate",
        ("8867-4", "Heart rate"),
        quantity(pulse, 0, "beats/minute", "/min"),
    );
    vital(
        chart,
        visit,
        "us-core-body-weight",
        ("29463-7", "Body weight"),
        quantity(weight, 1, "kg", "kg"),
    );
    let long = matches!(visit.kind, Kind::Wellness | Kind::Inpatient);
    if long || months < 216 {
        vital(
            chart,
            visit,
            "us-core-body-height",
            ("8302-2", "Body height"),
            quantity(height, 1, "cm", "cm"),
        );
    }
    if long {
        let bmi = weight * 1_000_000 / (height * height);
        vital(
            chart,
            visit,
            "us-core-bmi",
            ("39156-5", "Body mass index (BMI) [Ratio]"),
            quantity(bmi, 1, "kg/m2", "kg/m2"),
        );
        let breaths = if months < 24 { 30 } else { 16 };
        let breaths = chart.rng.around(breaths, 4);
        vital(
            chart,
            visit,
            "us-core-respiratory-rate",
            ("9279-1", "Respiratory rate"),
            quantity(breaths, 0, "breaths/minute", "/min"),
        );
    }
    let routine = long && (visit.ordinal.is_multiple_of(2) || months < 36);
    if routine || matches!(visit.kind, Kind::Acute(_) | Kind::Emergency) {
        let feverish = !long && chart.rng.chance(55);
        let celsius = if feverish {
            chart.rng.between(379, 394)
        } else {
            chart.rng.around(367, 5)
        };
        let code = json!({"coding": [coding(LOINC, "8310-5", "Body temperature")], "text": "Body temperature"});
        let value = json!({"valueQuantity": quantity(celsius, 1, "Cel", "Cel")});
        chart.observe(visit, CATEGORY, "us-core-body-temperature", code, value);
        saturation(chart, visit);
    }
    if months < 216 && visit.kind == Kind::Wellness {
        growth(chart, visit, months);
    }
}

fn vital(chart: &mut Chart<'_>, visit: &Visit, profile: &str, code: (&str, &str), value: Value) {
    chart.observe(
        visit,
        CATEGORY,
        profile,
        concept(LOINC, code),
        json!({"valueQuantity": value}),
    );
}

fn blood_pressure(chart: &mut Chart<'_>, visit: &Visit) {
    let person = chart.person;
    let years = i64::from(person.age(visit.at.day));
    let mut systolic = if years < 18 {
        88 + years * 3 / 2
    } else {
        112 + (years - 18) / 4
    };
    if let Some(since) = person.since(Illness::Hypertension) {
        let months = i64::from(visit.at.day.months_since(since));
        systolic += if months < 0 {
            12
        } else {
            28 - months.min(36) / 2
        };
    }
    if visit.kind == Kind::Emergency {
        systolic += 14;
    }
    let systolic = chart.rng.around(systolic, 11);
    let diastolic = chart.rng.around(systolic * 62 / 100, 6);
    let component = |code: (&str, &str), value: i64| json!({"code": concept(LOINC, code), "valueQuantity": quantity(value, 0, "mm[Hg]", "mm[Hg]")});
    let mut more = json!({"component": [
        component(("8480-6", "Systolic blood pressure"), systolic),
        component(("8462-4", "Diastolic blood pressure"), diastolic),
    ]});
    let letter = match (systolic, diastolic) {
        (180.., _) | (_, 120..) => Some(("HH", "Critical high")),
        (140.., _) | (_, 90..) => Some(("H", "High")),
        _ => None,
    };
    if let Some((code, display)) = letter {
        merge(
            &mut more,
            json!({"interpretation": [hl7_concept("v3-ObservationInterpretation", code, display)]}),
        );
    }
    let code = concept(
        LOINC,
        ("85354-9", "Blood pressure panel with all children optional"),
    );
    chart.observe(visit, CATEGORY, "us-core-blood-pressure", code, more);
}

fn saturation(chart: &mut Chart<'_>, visit: &Visit) {
    let mean = if chart.person.has(Illness::Copd, visit.at.day) {
        92
    } else {
        98
    };
    let percent = chart.rng.around(mean, 2).min(100);
    let code = json!({
        "coding": [
            coding(LOINC, "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
            coding(LOINC, "2708-6", "Oxygen saturation in Arterial blood"),
        ],
        "text": "Oxygen saturation",
    });
    chart.observe(
        visit,
        CATEGORY,
        "us-core-pulse-oximetry",
        code,
        json!({"valueQuantity": quantity(percent, 0, "%", "%")}),
    );
}

/// A weight that could not be taken: the reason stands in the place of the value.
fn refused(chart: &mut Chart<'_>, visit: &Visit) {
    let absent = hl7_concept("data-absent-reason", "not-performed", "Not Performed");
    let code = concept(LOINC, ("29463-7", "Body weight"));
    chart.observe(
        visit,
        CATEGORY,
        "us-core-body-weight",
        code,
        json!({"dataAbsentReason": absent}),
    );
}

fn growth(chart: &mut Chart<'_>, visit: &Visit, months: i32) {
    let person = chart.person;
    let percentile = (person.percentile + chart.rng.around(0, 8)).clamp(3, 97);
    let percent = |value: i64| quantity(value, 0, "%", "%");
    if months <= 36 {
        let column = usize::from(person.sex == Sex::Male);
        let heads: Vec<(i32, i64)> = HEAD.iter().map(|row| (row.0, row.1[column])).collect();
        let median = at_age(months, &heads);
        let head = median + median * (person.percentile - 50) / 1_400;
        vital(
            chart,
            visit,
            "us-core-head-circumference",
            ("9843-4", "Head Occipital-frontal circumference"),
            quantity(head, 1, "cm", "cm"),
        );
        let code = ("8289-1", "Head Occipital-frontal circumference Percentile");
        vital(
            chart,
            visit,
            "head-occipital-frontal-circumference-percentile",
            code,
            percent(percentile),
        );
        let code = ("77606-2", "Weight-for-length Per age and sex");
        vital(
            chart,
            visit,
            "pediatric-weight-for-height",
            code,
            percent((percentile + 4).min(98)),
        );
    }
    if months >= 24 {
        let code = (
            "59576-9",
            "Body mass index (BMI) [Percentile] Per age and sex",
        );
        vital(
            chart,
            visit,
            "pediatric-bmi-for-age",
            code,
            percent((percentile - 5).max(2)),
        );
    }
}

/// A pain score: a survey answer among the vital signs, as many clinics keep it.
pub(super) fn write_pain(chart: &mut Chart<'_>, visit: &Visit) {
    let score = chart.rng.between(0, 7);
    let code = concept(
        LOINC,
        (
            "72514-3",
            "Pain severity - 0-10 verbal numeric rating [Score] - Reported",
        ),
    );
    let value = json!({"valueQuantity": {"value": decimal(score, 0), "unit": "{score}", "system": super::json::UCUM, "code": "{score}"}});
    chart.observe(visit, CATEGORY, "us-core-vital-signs", code, value);
}
