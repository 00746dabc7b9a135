//! Names by origin, and places: the raw material of people.

/// A group of families that share naming habits.
pub(super) struct Origin {
    pub(super) female: &'static [&'static str],
    pub(super) male: &'static [&'static str],
    pub(super) family: &'static [&'static str],
    /// Given and family name in the family's own script, for the first name of each list.
    pub(super) native: Option<[(&'static str, &'static str); 2]>,
    /// OMB race category; `None`: asked but unknown.
    pub(super) race: Option<(&'static str, &'static str)>,
    pub(super) hispanic: bool,
    /// BCP 47 code and display.
    pub(super) language: (&'static str, &'static str),
}

const WHITE: Option<(&str, &str)> = Some(("2106-3", "White"));
const BLACK: Option<(&str, &str)> = Some(("2054-5", "Black or African American"));
const ASIAN: Option<(&str, &str)> = Some(("2028-9", "Asian"));
const NATIVE: Option<(&str, &str)> = Some(("1002-5", "American Indian or Alaska Native"));
const ENGLISH: (&str, &str) = ("en", "English");

pub(super) const ORIGINS: [Origin; 12] = [
    Origin {
        female: &["Grace", "Hannah", "Eleanor", "Margaret", "Ruth"],
        male: &["Walter", "Owen", "Henry", "Caleb", "Arthur"],
        family: &["Whitcomb", "Hartley", "Ashworth", "Pruitt", "Lindqvist"],
        native: None,
        race: WHITE,
        hispanic: false,
        language: ENGLISH,
    },
    Origin {
        female: &["Aoife", "Niamh", "Róisín", "Caoimhe"],
        male: &["Cormac", "Pádraig", "Eoin", "Ruairí"],
        family: &[
            "O'Sullivan",
            "O'Donnell",
            "Ní Bhriain",
            "D'Arcy",
            "MacGiolla Phádraig",
        ],
        native: None,
        race: WHITE,
        hispanic: false,
        language: ENGLISH,
    },
    Origin {
        female: &["Fatou", "Mariama", "Adaeze", "Wanjirũ"],
        male: &["Ibrahima", "Ousmane", "Chukwuemeka", "Kofi"],
        family: &["Ndiaye", "Traoré", "Okonkwo", "Asante", "Mwangi"],
        native: None,
        race: BLACK,
        hispanic: false,
        language: ("fr", "French"),
    },
    Origin {
        female: &["Keisha", "Denise", "Loretta", "Imani"],
        male: &["Marcus", "Terrence", "Isaiah", "Darnell"],
        family: &["Washington", "Baptiste", "Freeman", "Gaines"],
        native: None,
        race: BLACK,
        hispanic: false,
        language: ENGLISH,
    },
    Origin {
        female: &["Ximena", "Lucía", "Belén", "Inés"],
        male: &["Joaquín", "Andrés", "Jesús", "Ramón"],
        family: &["Muñoz Ibáñez", "Peña", "Gutiérrez", "Zúñiga-Ávila", "Núñez"],
        native: None,
        race: WHITE,
        hispanic: true,
        language: ("es", "Spanish"),
    },
    Origin {
        female: &["Yuki", "Haruka", "Sakura"],
        male: &["Kenji", "Takumi", "Hiroshi"],
        family: &["Tanaka", "Kobayashi", "Matsumoto"],
        native: Some([("由紀", "田中"), ("健司", "田中")]),
        race: ASIAN,
        hispanic: false,
        language: ("ja", "Japanese"),
    },
    Origin {
        female: &["Priya", "Lakshmi", "Meenakshi"],
        male: &["Arjun", "Venkatesh", "Sanjay"],
        family: &["Sharma", "Balasubramanian", "Krishnamoorthy"],
        native: Some([("प्रिया", "शर्मा"), ("अर्जुन", "शर्मा")]),
        race: ASIAN,
        hispanic: false,
        language: ("hi", "Hindi"),
    },
    Origin {
        female: &["Layla", "Noor", "Zaynab"],
        male: &["Yusuf", "Karim", "Tariq"],
        family: &["al-Khatib", "Haddad", "Ben Youssef"],
        native: Some([("ليلى", "الخطيب"), ("يوسف", "الخطيب")]),
        race: None,
        hispanic: false,
        language: ("ar", "Arabic"),
    },
    Origin {
        female: &["Olena", "Katarzyna", "Zuzanna"],
        male: &["Andriy", "Łukasz", "Stanisław"],
        family: &["Shevchenko", "Wiśniewska-Dąbrowska", "Żółkiewicz"],
        native: Some([("Олена", "Шевченко"), ("Андрій", "Шевченко")]),
        race: WHITE,
        hispanic: false,
        language: ("uk", "Ukrainian"),
    },
    Origin {
        female: &["Thị Hương", "Mai", "Linh"],
        male: &["Văn Dũng", "Quốc Bảo", "Minh"],
        family: &["Nguyễn", "Trần", "Phạm"],
        native: None,
        race: ASIAN,
        hispanic: false,
        language: ("vi", "Vietnamese"),
    },
    Origin {
        female: &["Dawn", "Winona", "Aiyana"],
        male: &["Joseph", "Elijah", "Samuel"],
        family: &["Peters", "Occum", "Attaquin"],
        native: None,
        race: NATIVE,
        hispanic: false,
        language: ENGLISH,
    },
    Origin {
        female: &["Ülkü", "Çiğdem", "Šárka", "Åsa"],
        male: &["Jürgen", "Åke", "Jiří", "Ömer"],
        family: &["Müller-Lüdenscheidt", "Øvergård", "Čapková", "Yıldız"],
        native: None,
        race: WHITE,
        hispanic: false,
        language: ("de", "German"),
    },
];

/// Towns of Massachusetts with a ZIP code of each and an area code.
pub(super) const TOWNS: [(&str, &str, &str); 10] = [
    ("Boston", "02118", "617"),
    ("Cambridge", "02139", "617"),
    ("Worcester", "01608", "508"),
    ("Springfield", "01103", "413"),
    ("Lowell", "01852", "978"),
    ("Quincy", "02169", "617"),
    ("Amherst", "01002", "413"),
    ("New Bedford", "02740", "508"),
    ("Salem", "01970", "978"),
    ("Pittsfield", "01201", "413"),
];

pub(super) const STREETS: [&str; 12] = [
    "Maple Street",
    "Dorchester Avenue",
    "Chestnut Hill Road",
    "Old Colony Lane",
    "Washington Street",
    "Elm Court",
    "Revere Beach Parkway",
    "Saint Mary's Terrace",
    "Blueberry Hill",
    "Cranberry Way",
    "Lighthouse Road",
    "Quarry Street",
];
