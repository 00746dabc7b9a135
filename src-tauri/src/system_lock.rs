//! The computer's own lock and sleep, where they can be heard: on Linux, over D-Bus. On macOS and Windows the
//! idle time goes on while the computer sleeps, so that it locks when it wakes.

use tauri::AppHandle;

/// Whether this program hears of them.
pub(crate) const IS_HEARD: bool = cfg!(target_os = "linux");

#[cfg(not(target_os = "linux"))]
pub(crate) fn watch(_: &AppHandle) {}

#[cfg(target_os = "linux")]
pub(crate) use linux::watch;

#[cfg(target_os = "linux")]
mod linux {
    use super::AppHandle;
    use crate::state::AppState;
    use std::collections::HashMap;
    use tauri::Manager;
    use zbus::blocking::{Connection, MessageIterator};
    use zbus::zvariant::{OwnedFd, OwnedValue};
    use zbus::{MatchRule, Message};

    const LOGIN: &str = "org.freedesktop.login1";
    const MANAGER: &str = "org.freedesktop.login1.Manager";
    const MANAGER_PATH: &str = "/org/freedesktop/login1";
    const SESSION: &str = "org.freedesktop.login1.Session";

    /// Listens from now on. A computer without logind or a screen saver has nothing to be heard.
    pub(crate) fn watch(app: &AppHandle) {
        let lock = {
            let app = app.clone();
            move || tauri::async_runtime::block_on(app.state::<AppState>().lock_with_system(&app))
        };
        let for_screen = lock.clone();
        start("logind", move || {
            login(&Connection::system()?, lock.clone())
        });
        start("screen saver", move || {
            screen_saver(&Connection::session()?, for_screen.clone())
        });
    }

    fn start(what: &'static str, listen: impl FnOnce() -> zbus::Result<()> + Send + 'static) {
        let listening = std::thread::Builder::new()
            .name(what.into())
            .spawn(move || {
                if let Err(error) = listen() {
                    tracing::info!(%error, what, "is not heard");
                }
            });
        if let Err(error) = listening {
            tracing::warn!(%error, what, "is not heard");
        }
    }

    /// What logind tells: `Lock` of a session, the hint that its screen is locked, and sleep. The computer
    /// waits with its sleep for as long as `brake` is held, a few seconds at most.
    pub(super) fn login(bus: &Connection, lock: impl Fn()) -> zbus::Result<()> {
        let rule = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .sender(LOGIN)?
            .build();
        let messages = MessageIterator::for_match_rule(rule, bus, Some(64))?;
        let mut brake = brake(bus);
        for message in messages {
            let message = message?;
            match heard(&message) {
                Heard::Locked => lock(),
                Heard::Sleeping => {
                    lock();
                    drop(brake.take());
                }
                Heard::Awake => brake = self::brake(bus),
                Heard::Other => {}
            }
        }
        Ok(())
    }

    /// What desktops tell of their screen saver, each under a name of its own.
    pub(super) fn screen_saver(bus: &Connection, lock: impl Fn()) -> zbus::Result<()> {
        let rule = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .member("ActiveChanged")?
            .build();
        for message in MessageIterator::for_match_rule(rule, bus, Some(64))? {
            let message = message?;
            let header = message.header();
            let saver = header
                .interface()
                .is_some_and(|name| name.as_str().ends_with(".ScreenSaver"));
            if saver && message.body().deserialize::<bool>().unwrap_or(false) {
                lock();
            }
        }
        Ok(())
    }

    #[derive(Debug, PartialEq, Eq)]
    enum Heard {
        Locked,
        Sleeping,
        Awake,
        Other,
    }

    fn heard(message: &Message) -> Heard {
        let header = message.header();
        let (Some(interface), Some(member)) = (header.interface(), header.member()) else {
            return Heard::Other;
        };
        match (interface.as_str(), member.as_str()) {
            (SESSION, "Lock") => Heard::Locked,
            (MANAGER, "PrepareForSleep") => match message.body().deserialize::<bool>() {
                Ok(true) => Heard::Sleeping,
                Ok(false) => Heard::Awake,
                Err(_) => Heard::Other,
            },
            ("org.freedesktop.DBus.Properties", "PropertiesChanged") => hint(message),
            _ => Heard::Other,
        }
    }

    /// `LockedHint`: the desktop has locked the screen by itself.
    fn hint(message: &Message) -> Heard {
        type Changed = (String, HashMap<String, OwnedValue>, Vec<String>);
        let body = message.body();
        let Ok((interface, changed, _)) = body.deserialize::<Changed>() else {
            return Heard::Other;
        };
        let locked = changed.get("LockedHint").map(bool::try_from);
        match locked {
            Some(Ok(true)) if interface == SESSION => Heard::Locked,
            _ => Heard::Other,
        }
    }

    /// Asks the computer to wait a moment before it sleeps.
    fn brake(bus: &Connection) -> Option<OwnedFd> {
        let why = ("sleep", "Satchel", "Locks your records", "delay");
        let given = bus.call_method(Some(LOGIN), MANAGER_PATH, Some(MANAGER), "Inhibit", &why);
        given.ok()?.body().deserialize().ok()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::linux::{login, screen_saver};
    use std::collections::HashMap;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;
    use zbus::blocking::{Connection, connection::Builder};
    use zbus::zvariant::{OwnedFd, Value};

    /// What the computer's logind is asked for; the test is told of it.
    struct Login(std::sync::mpsc::Sender<&'static str>);

    #[zbus::interface(name = "org.freedesktop.login1.Manager")]
    impl Login {
        fn inhibit(
            &self,
            what: &str,
            _who: &str,
            _why: &str,
            mode: &str,
        ) -> zbus::fdo::Result<OwnedFd> {
            let asked = (what == "sleep" && mode == "delay").then_some("brake");
            // The test that does not listen any more has failed already.
            let _ = self.0.send(asked.unwrap_or("something else"));
            let file = std::fs::File::open("/dev/null");
            let file = file.map_err(|error| zbus::fdo::Error::Failed(error.to_string()))?;
            Ok(std::os::fd::OwnedFd::from(file).into())
        }
    }

    fn next(heard: &Receiver<&'static str>) -> &'static str {
        heard
            .recv_timeout(Duration::from_secs(5))
            .unwrap_or("nothing")
    }

    fn nothing(heard: &Receiver<&'static str>) {
        assert!(heard.recv_timeout(Duration::from_millis(200)).is_err());
    }

    /// Run inside `tests/session.sh`: its bus stands for the system's.
    #[test]
    fn the_computers_lock_and_sleep_are_heard_and_what_is_like_them_is_not() {
        let (told, heard) = channel();
        let computer = Builder::session()
            .unwrap()
            .name("org.freedesktop.login1")
            .unwrap()
            .serve_at("/org/freedesktop/login1", Login(told.clone()))
            .unwrap()
            .build()
            .unwrap();
        std::thread::spawn(move || {
            let bus = Connection::session().unwrap();
            login(&bus, || told.send("lock").unwrap())
        });
        assert_eq!(next(&heard), "brake", "sleep waits for us");
        let session = "/org/freedesktop/login1/session/_31";
        let emit = |path: &str, interface: &str, member: &str, body: &[bool]| match body {
            [] => computer.emit_signal(None::<&str>, path, interface, member, &()),
            [on, ..] => computer.emit_signal(None::<&str>, path, interface, member, on),
        };
        let manager = "org.freedesktop.login1.Manager";
        emit(session, "org.freedesktop.login1.Session", "Lock", &[]).unwrap();
        assert_eq!(next(&heard), "lock");
        emit(session, "org.freedesktop.login1.Session", "Unlock", &[]).unwrap();
        nothing(&heard);
        emit(
            "/org/freedesktop/login1",
            manager,
            "PrepareForSleep",
            &[true],
        )
        .unwrap();
        assert_eq!(next(&heard), "lock");
        emit(
            "/org/freedesktop/login1",
            manager,
            "PrepareForSleep",
            &[false],
        )
        .unwrap();
        assert_eq!(next(&heard), "brake", "and for the next sleep again");
        for (locked, expected) in [(false, None), (true, Some("lock"))] {
            let changed = HashMap::from([("LockedHint", Value::from(locked))]);
            let body = (
                "org.freedesktop.login1.Session",
                changed,
                Vec::<&str>::new(),
            );
            let properties = "org.freedesktop.DBus.Properties";
            computer
                .emit_signal(
                    None::<&str>,
                    session,
                    properties,
                    "PropertiesChanged",
                    &body,
                )
                .unwrap();
            match expected {
                Some(expected) => assert_eq!(next(&heard), expected),
                None => nothing(&heard),
            }
        }
    }

    #[test]
    fn a_screen_saver_is_heard_when_it_begins() {
        let (told, heard) = channel();
        std::thread::spawn(move || {
            let bus = Connection::session().unwrap();
            screen_saver(&bus, || told.send("lock").unwrap())
        });
        // It begins to listen at some moment: the desktop tells until it is heard.
        let desktop = Connection::session().unwrap();
        let emit = |interface: &str, on: bool| {
            let path = "/org/gnome/ScreenSaver";
            desktop
                .emit_signal(None::<&str>, path, interface, "ActiveChanged", &on)
                .unwrap();
        };
        let begun = (0..50).any(|_| {
            emit("org.gnome.ScreenSaver", true);
            heard.recv_timeout(Duration::from_millis(100)).is_ok()
        });
        assert!(begun);
        while heard.recv_timeout(Duration::from_millis(200)).is_ok() {}
        emit("org.gnome.ScreenSaver", false);
        emit("org.example.Window", true);
        nothing(&heard);
    }
}
