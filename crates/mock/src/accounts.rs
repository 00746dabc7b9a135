//! Who may sign in: the synthetic people, the practice's staff, whoever was loaded, and whom a tester made.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::data::Data;
use crate::population::{self, Account, AccountRole, PRACTICE};

/// An account's number. The people's come first, whom a tester makes begin at [`MADE`].
pub(crate) type AccountNumber = usize;

/// The first number that is nobody's of the population.
const MADE: AccountNumber = 1 << 40;

/// How many people by name a provider's account lists.
const LISTED: usize = 50;

/// A practice: it decides which apps its patients and staff may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Practice {
    /// What it is named by.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// What a tester asks for: somebody who may sign in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// A patient, if nothing else is said.
    #[serde(default)]
    pub role: AccountRole,
    /// A made-up one, if none is said.
    pub username: Option<String>,
    /// The well-known one, if none is said.
    pub password: Option<String>,
    /// The user name, if none is said.
    pub display_name: Option<String>,
    /// For a trusted person: whose charts. A patient without any gets a chart of their own.
    #[serde(default)]
    pub patient_ids: Vec<String>,
    /// The first practice, if none is said.
    pub practice: Option<String>,
}

/// All accounts of a server.
#[derive(Debug)]
pub(crate) struct Accounts {
    data: Arc<Data>,
    /// Everybody's, where it is not the well-known one.
    password: Option<String>,
    inner: RwLock<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Whom nobody generated; a removed one leaves its number empty.
    made: Vec<Option<Account>>,
    practices: BTreeMap<String, String>,
    /// Patients of another practice than the first.
    elsewhere: BTreeMap<String, String>,
}

impl Accounts {
    /// The people of `data`, and a doctor, a receptionist and an administrator where there is anybody.
    pub(crate) fn new(data: Arc<Data>, password: Option<String>) -> Self {
        let loaded = data.loaded_patients();
        let people = data.people().count();
        let mut made = Vec::new();
        for (id, name) in &loaded {
            made.push(Some(Account {
                username: id.clone(),
                password: "demo".to_owned(),
                role: AccountRole::Patient,
                display_name: name.clone(),
                fhir_user: format!("Patient/{id}"),
                patient_ids: vec![id.clone()],
                practice: PRACTICE.to_owned(),
            }));
        }
        if people > 0 || !loaded.is_empty() {
            let ids: Vec<String> = (0..people.min(LISTED))
                .map(population::patient_id)
                .chain(loaded.into_iter().map(|(id, _)| id))
                .collect();
            made.extend(population::staff(&ids).map(Some));
        }
        if let Some(password) = &password {
            for account in made.iter_mut().flatten() {
                account.password.clone_from(password);
            }
        }
        let practices = [(PRACTICE.to_owned(), "Riverbend Health".to_owned())];
        Accounts {
            data,
            password,
            inner: RwLock::new(Inner {
                made,
                practices: practices.into(),
                elsewhere: BTreeMap::new(),
            }),
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account of that number.
    pub(crate) fn get(&self, number: AccountNumber) -> Option<Account> {
        if let Some(made) = number.checked_sub(MADE) {
            return self.read().made.get(made)?.clone();
        }
        let people = self.data.people();
        if !people.has(number) {
            return None;
        }
        let mut account = population::account(people.seed(), number, people.count());
        let index_of = |id: &String| people.index_of(id).is_some();
        account.patient_ids.retain(index_of);
        let inner = self.read();
        let first = account.patient_ids.first();
        if let Some(practice) = first.and_then(|id| inner.elsewhere.get(id)) {
            account.practice.clone_from(practice);
        }
        if let Some(password) = &self.password {
            account.password.clone_from(password);
        }
        Some(account)
    }

    /// Whose user name this is, whatever its case.
    pub(crate) fn named(&self, username: &str) -> Option<(AccountNumber, Account)> {
        {
            let inner = self.read();
            let made = (MADE..).zip(&inner.made);
            let found = made
                .filter_map(|(number, account)| Some((number, account.as_ref()?)))
                .find(|(_, account)| account.username.eq_ignore_ascii_case(username));
            if let Some((number, account)) = found {
                return Some((number, account.clone()));
            }
        }
        let number = population::index_of_username(self.data.people().seed(), username)?;
        Some((number, self.get(number)?))
    }

    /// The first `most` of the people, and everybody else.
    pub(crate) fn listed(&self, most: usize) -> Vec<Account> {
        let people = (0..self.data.people().count()).filter_map(|number| self.get(number));
        let mut listed: Vec<Account> = people.take(most).collect();
        listed.extend(self.read().made.iter().flatten().cloned());
        listed
    }

    /// Whether the account may open this chart.
    pub(crate) fn may_open(&self, account: &Account, patient: &str) -> bool {
        match account.role {
            AccountRole::Patient => account.patient_ids.iter().any(|id| id == patient),
            AccountRole::Provider | AccountRole::Staff => {
                self.practice_of(patient) == account.practice
                    && self.data.place(&format!("Patient/{patient}")).is_some()
            }
            AccountRole::Administrator => false,
        }
    }

    /// The practice that a patient goes to.
    pub(crate) fn practice_of(&self, patient: &str) -> String {
        let inner = self.read();
        let elsewhere = inner.elsewhere.get(patient);
        elsewhere.map_or_else(|| PRACTICE.to_owned(), Clone::clone)
    }

    /// The charts to offer: id and name of those whose name or id has `wanted` in it, `most` at most;
    /// and whether there may be more.
    pub(crate) fn charts(
        &self,
        account: &Account,
        wanted: &str,
        most: usize,
    ) -> (Vec<(String, String)>, bool) {
        let wanted = wanted.trim().to_lowercase();
        let fits =
            |(id, name): &(String, String)| id == &wanted || name.to_lowercase().contains(&wanted);
        let people = self.data.people();
        let generated = (0..people.count())
            .filter(|index| people.has(*index))
            .map(|index| {
                let name = population::display_name(people.seed(), index);
                (population::patient_id(index), name)
            });
        let mut found: Vec<(String, String)> = if account.role == AccountRole::Patient {
            let own = account.patient_ids.iter();
            own.map(|id| (id.clone(), self.name_of(id)))
                .filter(fits)
                .take(most + 1)
                .collect()
        } else {
            generated
                .chain(self.data.loaded_patients())
                .filter(fits)
                .filter(|(id, _)| self.may_open(account, id))
                .take(most + 1)
                .collect()
        };
        let more = found.len() > most;
        found.truncate(most);
        (found, more)
    }

    /// The name of a patient, or else the id.
    pub(crate) fn name_of(&self, patient: &str) -> String {
        self.data
            .name_of(patient)
            .unwrap_or_else(|| patient.to_owned())
    }

    /// What is open when a patient's chart is open: see [`Data::latest`].
    pub(crate) fn latest(&self, patient: &str) -> (Option<String>, Option<String>) {
        self.data.latest(patient)
    }

    /// Makes somebody who may sign in; a patient who is to see no other's chart gets a new one.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub(crate) fn make(&self, new: NewPerson) -> Result<Account, String> {
        let practice = new.practice.unwrap_or_else(|| PRACTICE.to_owned());
        if !self.read().practices.contains_key(&practice) {
            return Err(format!("there is no practice {practice}"));
        }
        for id in &new.patient_ids {
            if self.data.place(&format!("Patient/{id}")).is_none() {
                return Err(format!("there is no patient {id}"));
            }
        }
        if let Some(name) = &new.username
            && (name.trim().is_empty() || self.named(name).is_some())
        {
            return Err(format!("the user name {name:?} is taken or empty"));
        }
        let own_chart = new.role == AccountRole::Patient && new.patient_ids.is_empty();
        if own_chart {
            let index = self.data.people().add();
            let id = population::patient_id(index);
            if practice != PRACTICE {
                self.write().elsewhere.insert(id, practice);
            }
            let account = self.get(index).ok_or("the person could not be made")?;
            if new.username.is_none() && new.password.is_none() && new.display_name.is_none() {
                return Ok(account);
            }
            // A sign-in beside the generated one, for the same chart.
            return Ok(self.keep(Account {
                username: new
                    .username
                    .unwrap_or_else(|| format!("{}.2", account.username)),
                password: new.password.unwrap_or_else(|| account.password.clone()),
                display_name: new
                    .display_name
                    .unwrap_or_else(|| account.display_name.clone()),
                ..account
            }));
        }
        let number = self.read().made.len() + 1;
        let username = new.username.unwrap_or_else(|| format!("made.{number}"));
        let fhir_user = match new.role {
            AccountRole::Patient => format!("RelatedPerson/{username}"),
            _ => format!("Practitioner/{username}"),
        };
        Ok(self.keep(Account {
            display_name: new.display_name.unwrap_or_else(|| username.clone()),
            password: new
                .password
                .or_else(|| self.password.clone())
                .unwrap_or_else(|| "demo".to_owned()),
            role: new.role,
            patient_ids: new.patient_ids,
            fhir_user,
            username,
            practice,
        }))
    }

    fn keep(&self, account: Account) -> Account {
        self.write().made.push(Some(account.clone()));
        account
    }

    /// Takes the account away; a synthetic person goes with their chart.
    pub(crate) fn remove(&self, username: &str) -> Option<AccountNumber> {
        let (number, _) = self.named(username)?;
        match number.checked_sub(MADE) {
            Some(made) => {
                if let Some(account) = self.write().made.get_mut(made) {
                    *account = None;
                }
            }
            None => self.data.people().remove(number),
        }
        Some(number)
    }

    /// The practices, by id.
    pub(crate) fn practices(&self) -> Vec<Practice> {
        let inner = self.read();
        let named = |(id, name): (&String, &String)| Practice {
            id: id.clone(),
            name: name.clone(),
        };
        inner.practices.iter().map(named).collect()
    }

    /// Opens a practice; `false` when there is one of that id.
    pub(crate) fn add_practice(&self, id: &str, name: &str) -> bool {
        let mut inner = self.write();
        let new = !inner.practices.contains_key(id);
        if new {
            inner.practices.insert(id.to_owned(), name.to_owned());
        }
        new
    }

    /// Closes a practice: its staff cannot sign in any more. The first stays open.
    pub(crate) fn remove_practice(&self, id: &str) -> Vec<AccountNumber> {
        let mut inner = self.write();
        if id == PRACTICE || inner.practices.remove(id).is_none() {
            return Vec::new();
        }
        let mut gone = Vec::new();
        for (number, account) in (MADE..).zip(&mut inner.made) {
            if account.as_ref().is_some_and(|one| one.practice == id) {
                *account = None;
                gone.push(number);
            }
        }
        let theirs = self.data.people();
        for (patient, _) in inner
            .elsewhere
            .iter()
            .filter(|(_, practice)| *practice == id)
        {
            if let Some(index) = theirs.index_of(patient) {
                theirs.remove(index);
                gone.push(index);
            }
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::data::People;

    fn accounts(people: usize) -> Accounts {
        let people = People::new(people, 1, Clock::start());
        Accounts::new(Arc::new(Data::new(Vec::new(), people).0), None)
    }

    #[test]
    fn everybody_can_sign_in_however_many_there_are() {
        let accounts = accounts(100_000);
        for number in [0, 7, 8, 4711, 99_999] {
            let account = accounts.get(number).unwrap();
            let (found, same) = accounts.named(&account.username.to_uppercase()).unwrap();
            assert_eq!((found, &same), (number, &account));
            assert!(accounts.may_open(&account, &account.patient_ids[0]));
        }
        assert!(accounts.get(100_000).is_none());
        assert!(accounts.named("nobody").is_none());
        assert_eq!(accounts.listed(5).len(), 5 + 3);
    }

    #[test]
    fn a_provider_finds_a_chart_by_name_among_many() {
        let accounts = accounts(5000);
        let (_, doctor) = accounts.named("dr.chen").unwrap();
        let wanted = accounts.get(4321).unwrap();
        let (found, more) = accounts.charts(&doctor, &wanted.patient_ids[0], 10);
        assert_eq!(
            found,
            [(wanted.patient_ids[0].clone(), wanted.display_name)]
        );
        assert!(!more);
        assert!(accounts.charts(&doctor, "", 10).1);
    }

    #[test]
    fn people_and_practices_come_and_go() {
        let accounts = accounts(2);
        assert!(accounts.add_practice("hillside", "Hillside"));
        assert!(!accounts.add_practice("hillside", "Again"));
        let at_hillside = |role| NewPerson {
            role,
            practice: Some("hillside".to_owned()),
            ..NewPerson::default()
        };
        let patient = accounts.make(at_hillside(AccountRole::Patient)).unwrap();
        let doctor = accounts.make(at_hillside(AccountRole::Provider)).unwrap();
        let (_, chen) = accounts.named("dr.chen").unwrap();
        let chart = &patient.patient_ids[0];
        assert!(accounts.may_open(&doctor, chart) && !accounts.may_open(&chen, chart));
        assert!(!accounts.may_open(&doctor, "pt-10000") && accounts.may_open(&chen, "pt-10000"));
        accounts.remove_practice("hillside");
        assert!(accounts.named(&doctor.username).is_none());
        assert!(accounts.named(&patient.username).is_none());
        assert!(accounts.make(at_hillside(AccountRole::Staff)).is_err());
    }

    #[test]
    fn a_trusted_person_sees_whom_they_are_trusted_with() {
        let accounts = accounts(3);
        let trusted = NewPerson {
            username: Some("aunt".to_owned()),
            patient_ids: vec!["pt-10000".to_owned(), "pt-20000".to_owned()],
            ..NewPerson::default()
        };
        let aunt = accounts.make(trusted).unwrap();
        assert_eq!(accounts.charts(&aunt, "", 10).0.len(), 2);
        assert!(!accounts.may_open(&aunt, "pt-30000"));
        assert!(accounts.remove("aunt").is_some() && accounts.named("aunt").is_none());
        let nobody = NewPerson {
            patient_ids: vec!["pt-990000".to_owned()],
            ..NewPerson::default()
        };
        assert!(accounts.make(nobody).is_err());
    }
}
