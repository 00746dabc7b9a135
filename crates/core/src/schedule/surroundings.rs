//! Whether the machine runs on its battery, and whether its network is paid by the byte.
//!
//! What a system does not tell counts as plugged in and not metered: then a sync is never put off for a
//! reason that nobody can see. Batteries are asked on Linux, macOS and Windows; metered networks on Linux
//! (NetworkManager) only. A program that knows more hands in its own [`Surroundings`].

/// How the machine stands now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// It runs on its battery.
    pub on_battery: bool,
    /// Its network is metered.
    pub metered: bool,
}

/// Tells how the machine stands. Asked from a thread that may wait.
pub trait Surroundings: Send + Sync {
    /// How it stands now.
    fn conditions(&self) -> Conditions;
}

/// The operating system's word.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemSurroundings;

impl Surroundings for SystemSurroundings {
    fn conditions(&self) -> Conditions {
        Conditions {
            on_battery: on_battery().unwrap_or_else(|error| {
                tracing::debug!(%error, "the battery cannot be asked");
                false
            }),
            metered: metered(),
        }
    }
}

fn on_battery() -> Result<bool, starship_battery::Error> {
    let mut states = Vec::new();
    for battery in starship_battery::Manager::new()?.batteries()? {
        states.push(battery?.state());
    }
    Ok(discharging(&states))
}

/// A second battery that is full or empty says nothing; one that is charged says that there is a plug.
fn discharging(states: &[starship_battery::State]) -> bool {
    use starship_battery::State;
    states.contains(&State::Discharging) && !states.contains(&State::Charging)
}

#[cfg(target_os = "linux")]
fn metered() -> bool {
    network_manager::metered().unwrap_or_else(|error| {
        tracing::debug!(%error, "NetworkManager cannot be asked");
        false
    })
}

#[cfg(not(target_os = "linux"))]
fn metered() -> bool {
    false
}

/// <https://networkmanager.dev/docs/api/latest/gdbus-org.freedesktop.NetworkManager.html>
#[cfg(target_os = "linux")]
mod network_manager {
    use std::time::Duration;
    use zbus::blocking::connection::Builder;
    use zbus::zvariant::OwnedValue;

    const NAME: &str = "org.freedesktop.NetworkManager";
    const PATH: &str = "/org/freedesktop/NetworkManager";
    /// NM_METERED_YES and NM_METERED_GUESS_YES.
    const METERED: [u32; 2] = [1, 3];
    const TIMEOUT: Duration = Duration::from_secs(2);

    pub(super) fn metered() -> zbus::Result<bool> {
        let bus = Builder::system()?.method_timeout(TIMEOUT).build()?;
        let answer = bus.call_method(
            Some(NAME),
            PATH,
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &(NAME, "Metered"),
        )?;
        let value: OwnedValue = answer.body().deserialize()?;
        Ok(METERED.contains(&u32::try_from(value)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use starship_battery::State;

    #[test]
    fn a_machine_is_on_battery_when_one_empties_and_none_is_charged() {
        assert!(!discharging(&[]), "a desktop");
        assert!(!discharging(&[State::Full]));
        assert!(!discharging(&[State::Unknown]));
        assert!(discharging(&[State::Discharging]));
        assert!(discharging(&[State::Full, State::Discharging]));
        assert!(!discharging(&[State::Charging, State::Discharging]));
    }

    /// Whatever machine runs this: an answer, and no panic.
    #[test]
    fn a_machine_that_tells_nothing_is_plugged_in_and_not_metered() {
        let asked = SystemSurroundings.conditions();
        assert!(!asked.metered || cfg!(target_os = "linux"));
    }
}
