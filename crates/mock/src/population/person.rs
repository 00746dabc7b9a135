//! Who a person is: name, birth, origin, illnesses. Everything else follows from this.

use super::calendar::{Day, TODAY};
use super::illness::Illness;
use super::names::{ORIGINS, Origin, STREETS, TOWNS};
use super::rng::Rng;

/// How many ids one person may use.
const RANGE: usize = 10_000;

/// From where in a person's range the ids of later changes are.
pub(super) const FIRST_CHANGE: usize = 9_000;

/// Administrative sex, as the records have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sex {
    Female,
    Male,
}

/// A person.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) index: usize,
    /// First number of this person's range of ids.
    pub(super) base: usize,
    pub(super) id: String,
    pub(super) given: Vec<String>,
    pub(super) family: String,
    /// Given and family name in another script.
    pub(super) native: Option<(String, String)>,
    pub(super) sex: Sex,
    /// Identifies as nonbinary.
    pub(super) nonbinary: bool,
    pub(super) birth: Day,
    pub(super) death: Option<Day>,
    pub(super) race: Option<(&'static str, &'static str)>,
    pub(super) hispanic: bool,
    pub(super) language: (&'static str, &'static str),
    pub(super) town: (&'static str, &'static str, &'static str),
    pub(super) street: String,
    pub(super) phone: String,
    /// Illnesses with the day on which they were found.
    pub(super) illnesses: Vec<(Illness, Day)>,
    /// Had a child on this day.
    pub(super) gave_birth: Option<Day>,
    /// Index of the parent in the same population.
    pub(super) parent: Option<usize>,
    /// Adult height in millimetres (a child's is read from growth tables).
    pub(super) height: i64,
    /// Growth percentile of a child, 5 to 95.
    pub(super) percentile: i64,
    pub(super) smoker: Smoking,
}

/// Smoking history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Smoking {
    Never,
    Former,
    Daily,
}

impl Person {
    /// The name in plain reading order.
    pub(super) fn display_name(&self) -> String {
        format!("{} {}", self.given.join(" "), self.family)
    }

    /// The last day on which something can happen.
    pub(super) fn end(&self) -> Day {
        self.death.unwrap_or(TODAY)
    }

    /// Age in whole years on `day`.
    pub(super) fn age(&self, day: Day) -> i32 {
        day.years_since(self.birth)
    }

    /// The day on which `illness` was found, if the person has it.
    pub(super) fn since(&self, illness: Illness) -> Option<Day> {
        self.illnesses
            .iter()
            .find(|(found, _)| *found == illness)
            .map(|(_, day)| *day)
    }

    /// Whether the person has `illness` on `day`.
    pub(super) fn has(&self, illness: Illness, day: Day) -> bool {
        self.since(illness).is_some_and(|since| since <= day)
    }

    /// Still a child today (or at death).
    pub(super) fn is_child(&self) -> bool {
        self.age(self.end()) < 18
    }

    /// Whether illness brings the person in more than once a year.
    pub(super) fn is_chronic(&self) -> bool {
        self.illnesses
            .iter()
            .any(|(illness, _)| illness.is_chronic())
    }
}

/// The people whom tests and demonstrations know by name; the rest is drawn by lot.
struct Known {
    given: &'static [&'static str],
    family: &'static str,
    native: Option<(&'static str, &'static str)>,
    sex: Sex,
    birth: (i32, i32, i32),
    origin: usize,
    illnesses: &'static [(Illness, i32)],
}

const KNOWN: [Known; 8] = [
    Known {
        given: &["Amina"],
        family: "Diallo",
        native: None,
        sex: Sex::Female,
        birth: (1979, 4, 12),
        origin: 2,
        illnesses: &[
            (Illness::Hypertension, 2015),
            (Illness::Diabetes, 2019),
            (Illness::Hyperlipidemia, 2019),
            (Illness::Reflux, 2021),
        ],
    },
    Known {
        given: &["Siobhán", "Máire"],
        family: "O'Brien",
        native: None,
        sex: Sex::Female,
        birth: (1986, 9, 3),
        origin: 1,
        illnesses: &[
            (Illness::Asthma, 2004),
            (Illness::Hypothyroidism, 2015),
            (Illness::Migraine, 2019),
        ],
    },
    Known {
        given: &["Tomás"],
        family: "O'Brien",
        native: None,
        sex: Sex::Male,
        birth: (2018, 2, 17),
        origin: 1,
        illnesses: &[(Illness::Eczema, 2018), (Illness::Asthma, 2022)],
    },
    Known {
        given: &["Władysław", "Jan"],
        family: "Kowalczyk",
        native: None,
        sex: Sex::Male,
        birth: (1936, 11, 30),
        origin: 8,
        illnesses: &[
            (Illness::Hypertension, 1995),
            (Illness::Hyperlipidemia, 2004),
            (Illness::Copd, 2012),
            (Illness::AtrialFibrillation, 2015),
            (Illness::KidneyDisease, 2016),
            (Illness::HeartFailure, 2017),
        ],
    },
    Known {
        given: &["Xiuying"],
        family: "Wang",
        native: Some(("秀英", "王")),
        sex: Sex::Female,
        birth: (1951, 1, 28),
        origin: 5,
        illnesses: &[
            (Illness::Hypertension, 2008),
            (Illness::Diabetes, 2010),
            (Illness::Hyperlipidemia, 2011),
            (Illness::Osteoporosis, 2018),
            (Illness::KidneyDisease, 2019),
        ],
    },
    Known {
        given: &["María", "Guadalupe", "Concepción", "de los Ángeles"],
        family: "Fernández-Villanueva y Montemayor",
        native: None,
        sex: Sex::Female,
        birth: (1964, 12, 12),
        origin: 4,
        illnesses: &[
            (Illness::Depression, 2015),
            (Illness::HipArthritis, 2018),
            (Illness::Reflux, 2017),
            (Illness::Hyperlipidemia, 2014),
        ],
    },
    Known {
        given: &["Minh", "Anh"],
        family: "Nguyễn",
        native: None,
        sex: Sex::Female,
        birth: (2022, 5, 9),
        origin: 9,
        illnesses: &[(Illness::Eczema, 2023)],
    },
    Known {
        given: &["Alex", "Björk"],
        family: "Þórsdóttir",
        native: None,
        sex: Sex::Female,
        birth: (1999, 8, 21),
        origin: 11,
        illnesses: &[
            (Illness::Anxiety, 2017),
            (Illness::Depression, 2019),
            (Illness::IronDeficiency, 2022),
        ],
    },
];

/// The first number of a person's range of ids.
pub(super) fn base(index: usize) -> usize {
    (index + 1) * RANGE
}

/// The logical id of person number `index`.
pub(super) fn patient_id(index: usize) -> String {
    format!("pt-{}", base(index))
}

/// Whose chart a resource with this id would be in, if it were one of a person's.
pub(super) fn index_of(id: &str) -> Option<usize> {
    let (_, number) = id.rsplit_once('-')?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    let number: usize = number.parse().ok().filter(|_| digits)?;
    (number / RANGE).checked_sub(1)
}

/// How many people are the same in every population.
pub(super) const fn known() -> usize {
    KNOWN.len()
}

/// Person number `index` of the population `seed`.
pub(super) fn person(seed: u64, index: usize) -> Person {
    let mut rng = Rng::new(seed, index, "person");
    let mut person = match KNOWN.get(index) {
        Some(known) => known_person(known, index, &mut rng),
        None => drawn_person(index, &mut rng),
    };
    match index {
        1 => person.gave_birth = Some(Day::new(2018, 2, 17)),
        2 => person.parent = Some(1),
        3 => {
            person.death = Some(Day::new(2025, 2, 14));
            person.smoker = Smoking::Former;
        }
        7 => person.nonbinary = true,
        _ => {}
    }
    person
}

fn known_person(known: &Known, index: usize, rng: &mut Rng) -> Person {
    let (year, month, day) = known.birth;
    let birth = Day::new(year, month, day);
    let mut person = blank(index, rng, &ORIGINS[known.origin], known.sex, birth);
    person.given = known.given.iter().map(|name| (*name).to_owned()).collect();
    known.family.clone_into(&mut person.family);
    person.native = known
        .native
        .map(|(given, family)| (given.to_owned(), family.to_owned()));
    if index == 4 {
        person.language = ("zh", "Chinese");
    }
    for (illness, year) in known.illnesses {
        let found = Day::new(*year, 1, 1).plus(rng.between(20, 340)).weekday();
        person
            .illnesses
            .push((*illness, found.max(birth.plus(120))));
    }
    person
}

fn drawn_person(index: usize, rng: &mut Rng) -> Person {
    let origin = rng.pick(&ORIGINS);
    let sex = if rng.chance(51) {
        Sex::Female
    } else {
        Sex::Male
    };
    let year = match rng.between(1, 100) {
        1..=18 => rng.between(2009, 2022),
        19..=60 => rng.between(1970, 2006),
        61..=88 => rng.between(1948, 1969),
        _ => rng.between(1935, 1947),
    };
    let birth = Day::new(i32::try_from(year).unwrap_or(1970), 1, 1).plus(rng.between(0, 364));
    let mut person = blank(index, rng, origin, sex, birth);
    let age = person.age(TODAY);
    draw_illnesses(&mut person, age, rng);
    if age > 78 && rng.chance(20) {
        person.death = Some(TODAY.plus(-rng.between(200, 900)));
    }
    if sex == Sex::Female && (24..55).contains(&age) && rng.chance(45) {
        let at_age = rng.between(22, i64::from(age.min(38)));
        person.gave_birth = Some(birth.plus(at_age * 365 + rng.between(0, 300)));
    }
    person
}

fn draw_illnesses(person: &mut Person, age: i32, rng: &mut Rng) {
    for illness in Illness::ALL {
        let (from_age, percent) = illness.likelihood();
        let fits = age > from_age && (age >= 18 || illness.in_childhood());
        if fits && rng.chance(percent) {
            let latest = i64::from(age - 1).max(i64::from(from_age));
            let earliest = i64::from(from_age).max(latest - 22).min(latest);
            let found = person
                .birth
                .plus(rng.between(earliest, latest) * 365 + rng.between(30, 300));
            person
                .illnesses
                .push((illness, found.min(TODAY.plus(-200)).weekday()));
        }
    }
    if person.illnesses.is_empty() {
        let found = person.birth.plus(i64::from(age / 2) * 365 + 150).weekday();
        let illness = if age < 18 {
            Illness::Eczema
        } else {
            Illness::Migraine
        };
        person.illnesses.push((illness, found));
    }
}

fn blank(index: usize, rng: &mut Rng, origin: &Origin, sex: Sex, birth: Day) -> Person {
    let names = if sex == Sex::Female {
        origin.female
    } else {
        origin.male
    };
    let own_script = origin.native.is_some() && rng.chance(25);
    let (mut given, mut family) = (
        (*rng.pick(names)).to_owned(),
        (*rng.pick(origin.family)).to_owned(),
    );
    let mut native = None;
    if let (true, Some(pair)) = (own_script, origin.native) {
        let (own_given, own_family) = pair[usize::from(sex == Sex::Male)];
        native = Some((own_given.to_owned(), own_family.to_owned()));
        names[0].clone_into(&mut given);
        origin.family[0].clone_into(&mut family);
    }
    let town = *rng.pick(&TOWNS);
    let street = format!("{} {}", rng.between(2, 480), rng.pick(&STREETS));
    Person {
        index,
        base: base(index),
        id: patient_id(index),
        given: vec![given],
        family,
        native,
        sex,
        nonbinary: false,
        birth,
        death: None,
        race: origin.race,
        hispanic: origin.hispanic,
        language: origin.language,
        town,
        street,
        phone: format!("{}-555-{:04}", town.2, 100 + index % 100),
        illnesses: Vec::new(),
        gave_birth: None,
        parent: None,
        height: rng.around(if sex == Sex::Female { 1_630 } else { 1_760 }, 140),
        percentile: rng.around(50, 42),
        smoker: *rng.pick(&[
            Smoking::Never,
            Smoking::Never,
            Smoking::Never,
            Smoking::Former,
            Smoking::Daily,
        ]),
    }
}
