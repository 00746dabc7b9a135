//! What the laboratory measures: codes, units, reference ranges, and the course of each value over a life.

use super::calendar::Day;
use super::illness::Illness;
use super::json::Term;
use super::person::{Person, Sex};
use super::rng::Rng;

/// A quantity that the laboratory measures. All numbers are in units of 10^-`scale`.
pub(super) struct Analyte {
    pub(super) code: Term,
    pub(super) unit: &'static str,
    pub(super) ucum: &'static str,
    pub(super) scale: u32,
    pub(super) low: Option<i64>,
    pub(super) high: Option<i64>,
    mean: i64,
    spread: i64,
    /// Beyond these the laboratory calls the doctor.
    pub(super) panic: (i64, i64),
}

const fn analyte(
    code: Term,
    unit: &'static str,
    scale: u32,
    range: (i64, i64),
    mean: i64,
    spread: i64,
    panic: (i64, i64),
) -> Analyte {
    Analyte {
        code,
        unit,
        ucum: unit,
        scale,
        low: Some(range.0),
        high: Some(range.1),
        mean,
        spread,
        panic,
    }
}

const NEVER: (i64, i64) = (i64::MIN, i64::MAX);

pub(super) const CBC: [Analyte; 9] = [
    analyte(
        (
            "6690-2",
            "Leukocytes [#/volume] in Blood by Automated count",
        ),
        "10*3/uL",
        1,
        (45, 110),
        68,
        26,
        (20, 300),
    ),
    analyte(
        (
            "789-8",
            "Erythrocytes [#/volume] in Blood by Automated count",
        ),
        "10*6/uL",
        2,
        (390, 570),
        465,
        45,
        NEVER,
    ),
    analyte(
        ("718-7", "Hemoglobin [Mass/volume] in Blood"),
        "g/dL",
        1,
        (120, 175),
        139,
        13,
        (70, 200),
    ),
    analyte(
        (
            "4544-3",
            "Hematocrit [Volume Fraction] of Blood by Automated count",
        ),
        "%",
        1,
        (360, 500),
        415,
        35,
        NEVER,
    ),
    analyte(
        (
            "787-2",
            "MCV [Entitic mean volume] in Red Blood Cells by Automated count",
        ),
        "fL",
        1,
        (800, 1_000),
        890,
        55,
        NEVER,
    ),
    analyte(
        ("785-6", "MCH [Entitic mass] by Automated count"),
        "pg",
        1,
        (270, 330),
        299,
        18,
        NEVER,
    ),
    analyte(
        ("786-4", "MCHC [Mass/volume] by Automated count"),
        "g/dL",
        1,
        (320, 360),
        336,
        11,
        NEVER,
    ),
    analyte(
        (
            "788-0",
            "Erythrocyte distribution width [Ratio] by Automated count",
        ),
        "%",
        1,
        (115, 145),
        132,
        10,
        NEVER,
    ),
    analyte(
        ("777-3", "Platelets [#/volume] in Blood by Automated count"),
        "10*3/uL",
        0,
        (150, 400),
        255,
        80,
        (20, 1_000),
    ),
];

pub(super) const GLUCOSE: Analyte = analyte(
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma"),
    "mg/dL",
    0,
    (70, 99),
    89,
    11,
    (45, 350),
);
pub(super) const CREATININE: Analyte = analyte(
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma"),
    "mg/dL",
    2,
    (55, 120),
    84,
    14,
    (0, 600),
);

pub(super) const ELECTROLYTES: [Analyte; 6] = [
    analyte(
        ("3094-0", "Urea nitrogen [Mass/volume] in Serum or Plasma"),
        "mg/dL",
        0,
        (7, 20),
        14,
        5,
        (0, 100),
    ),
    analyte(
        ("2951-2", "Sodium [Moles/volume] in Serum or Plasma"),
        "mmol/L",
        0,
        (136, 145),
        140,
        4,
        (120, 160),
    ),
    analyte(
        ("2823-3", "Potassium [Moles/volume] in Serum or Plasma"),
        "mmol/L",
        1,
        (35, 51),
        42,
        6,
        (28, 60),
    ),
    analyte(
        ("2075-0", "Chloride [Moles/volume] in Serum or Plasma"),
        "mmol/L",
        0,
        (98, 107),
        102,
        4,
        NEVER,
    ),
    analyte(
        (
            "2028-9",
            "Carbon dioxide, total [Moles/volume] in Serum or Plasma",
        ),
        "mmol/L",
        0,
        (22, 29),
        25,
        3,
        (10, 40),
    ),
    analyte(
        ("17861-6", "Calcium [Mass/volume] in Serum or Plasma"),
        "mg/dL",
        1,
        (85, 105),
        95,
        5,
        (65, 130),
    ),
];

pub(super) const LIPIDS: [Analyte; 4] = [
    Analyte {
        low: None,
        ..analyte(
            ("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma"),
            "mg/dL",
            0,
            (0, 199),
            182,
            24,
            NEVER,
        )
    },
    Analyte {
        low: None,
        ..analyte(
            ("2571-8", "Triglyceride [Mass/volume] in Serum or Plasma"),
            "mg/dL",
            0,
            (0, 149),
            118,
            48,
            NEVER,
        )
    },
    Analyte {
        high: None,
        ..analyte(
            (
                "2085-9",
                "Cholesterol in HDL [Mass/volume] in Serum or Plasma",
            ),
            "mg/dL",
            0,
            (40, 0),
            53,
            10,
            NEVER,
        )
    },
    Analyte {
        low: None,
        ..analyte(
            (
                "13457-7",
                "Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation",
            ),
            "mg/dL",
            0,
            (0, 99),
            104,
            20,
            NEVER,
        )
    },
];

pub(super) const HBA1C: Analyte = analyte(
    ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"),
    "%",
    1,
    (40, 56),
    53,
    3,
    (0, 140),
);
pub(super) const TSH: Analyte = analyte(
    ("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma"),
    "m[IU]/L",
    2,
    (40, 450),
    190,
    110,
    NEVER,
);
pub(super) const ALBUMIN_RATIO: Analyte = Analyte {
    low: None,
    ..analyte(
        ("14959-1", "Microalbumin/Creatinine [Mass Ratio] in Urine"),
        "mg/g",
        0,
        (0, 29),
        14,
        12,
        NEVER,
    )
};
pub(super) const CRP: Analyte = Analyte {
    low: None,
    ..analyte(
        (
            "1988-5",
            "C reactive protein [Mass/volume] in Serum or Plasma",
        ),
        "mg/L",
        1,
        (0, 50),
        40,
        60,
        NEVER,
    )
};
pub(super) const LEAD: Analyte = Analyte {
    low: None,
    ucum: "ug/dL",
    ..analyte(
        ("5671-3", "Lead [Mass/volume] in Blood"),
        "µg/dL",
        1,
        (0, 34),
        12,
        11,
        NEVER,
    )
};

impl Analyte {
    /// The value of `person` on `day`.
    pub(super) fn value(&self, person: &Person, day: Day, rng: &mut Rng) -> i64 {
        let own = Rng::new(0, person.index, self.code.0).around(0, self.spread / 2);
        let course = self.mean + own + self.illness_part(person, day);
        rng.around(course, self.spread * 2 / 3 + 1).max(1)
    }

    /// How illness and its treatment move the value.
    fn illness_part(&self, person: &Person, day: Day) -> i64 {
        let months = |illness: Illness| {
            person
                .since(illness)
                .map(|since| i64::from(day.months_since(since)))
        };
        let diabetes = months(Illness::Diabetes);
        let kidney = months(Illness::KidneyDisease).filter(|m| *m > 0);
        let young = person.age(day) < 12;
        match self.code.0 {
            "4548-4" => diabetes.map_or(0, |m| {
                16 + (24 - m.clamp(-6, 24)) * 18 / 24 + (m - 60).clamp(0, 80) / 9
            }),
            "2345-7" => diabetes.map_or(0, |m| {
                38 + (24 - m.clamp(-6, 24)) * 2 + (m - 60).clamp(0, 80) / 4
            }),
            "2160-0" if young => -45,
            "2160-0" => {
                kidney.map_or(0, |m| 48 + m / 3) + if person.sex == Sex::Male { 12 } else { -8 }
            }
            "2823-3" => kidney.map_or(0, |m| 4 + m / 16),
            "3094-0" => kidney.map_or(0, |m| 10 + m / 8),
            "718-7" => {
                months(Illness::IronDeficiency)
                    .filter(|m| (0..12).contains(m))
                    .map_or(0, |m| -38 + m * 3)
                    - kidney.map_or(0, |_| 14)
                    - if young { 12 } else { 0 }
            }
            "2093-3" | "13457-7" => months(Illness::Hyperlipidemia)
                .map_or(0, |m| if m < 3 { 68 } else { (30 - m / 3).max(-8) }),
            "2571-8" => diabetes.map_or(0, |m| 60 - m.clamp(0, 60) / 2),
            "2085-9" => diabetes.map_or(0, |_| -9),
            "3016-3" => months(Illness::Hypothyroidism).map_or(0, |m| if m < 3 { 690 } else { 90 }),
            "14959-1" => kidney.map_or(0, |m| 40 + m) + diabetes.map_or(0, |_| 8),
            _ => 0,
        }
    }
}

/// Glomerular filtration rate in mL/min/1.73 m2 (CKD-EPI 2021) from creatinine in 1/100 mg/dL.
pub(super) fn filtration(creatinine: i64, years: i32, sex: Sex) -> i64 {
    let (kappa, alpha, factor) = match sex {
        Sex::Female => (70.0, 0.241, 1.012),
        Sex::Male => (90.0, 0.302, 1.0),
    };
    #[expect(clippy::cast_precision_loss, reason = "a creatinine has four digits")]
    let ratio = creatinine.max(20) as f64 / kappa;
    let part = if ratio < 1.0 {
        1.0 / power(ratio, alpha)
    } else {
        1.0 / (ratio * power(ratio, 0.2))
    };
    let mut aged = 1.0;
    for _ in 0..years {
        aged *= 0.9938;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the result is between 1 and 300"
    )]
    let rounded = (142.0 * part * aged * factor + 0.5) as i64;
    rounded
}

/// `base` to the power `exponent` (0 to 1), from square roots only: those are exact alike on every platform.
fn power(base: f64, exponent: f64) -> f64 {
    let (mut root, mut rest, mut result) = (base, exponent, 1.0);
    for _ in 0..40 {
        root = root.sqrt();
        rest *= 2.0;
        if rest >= 1.0 {
            rest -= 1.0;
            result *= root;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::{Sex, filtration};

    #[test]
    fn filtration_agrees_with_the_published_equation() {
        // 142 * (1.00/0.9)^-1.2 * 0.9938^50 = 91.7; 142 * (1.50/0.7)^-1.2 * 0.9938^70 * 1.012 = 37.2
        assert_eq!(filtration(100, 50, Sex::Male), 92);
        assert_eq!(filtration(150, 70, Sex::Female), 37);
    }
}
