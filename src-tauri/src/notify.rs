//! Desktop notifications: that something happened, never what.

use satchel_core::schedule::Notice;
use tauri::{AppHandle, Manager};
use tokio::sync::mpsc::UnboundedReceiver;

/// Shows notices while the window is not before the person.
pub(crate) fn show_all(app: AppHandle, mut notices: UnboundedReceiver<Notice>) {
    tauri::async_runtime::spawn(async move {
        while let Some(notice) = notices.recv().await {
            if !is_seen(&app) {
                show_in_background(notice);
            }
        }
    });
}

fn is_seen(app: &AppHandle) -> bool {
    app.webview_windows()
        .values()
        .any(|window| window.is_focused().unwrap_or(false))
}

/// The desktop may be slow to answer, or have no place for notifications: nobody waits for it.
fn show_in_background(notice: Notice) {
    tauri::async_runtime::spawn_blocking(move || {
        if let Err(error) = show(notice) {
            tracing::info!(%error, "the desktop shows no notifications");
        }
    });
}

fn show(notice: Notice) -> Result<(), notify_rust::error::Error> {
    let mut notification = notify_rust::Notification::new();
    notification
        .appname(Notice::TITLE)
        .summary(Notice::TITLE)
        .body(notice.text());
    #[cfg(windows)]
    notification.app_id("org.satchel.desktop");
    notification.show().map(drop)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::sync::mpsc;
    use zbus::zvariant::OwnedValue;

    /// The desktop's place for notifications; gives on what it is asked to show.
    struct Desktop(mpsc::Sender<Vec<String>>);

    #[zbus::interface(name = "org.freedesktop.Notifications")]
    impl Desktop {
        #[expect(
            clippy::too_many_arguments,
            reason = "the desktop's specification has so many"
        )]
        fn notify(
            &self,
            app: &str,
            _replaces: u32,
            icon: &str,
            summary: &str,
            body: &str,
            actions: Vec<String>,
            hints: HashMap<String, OwnedValue>,
            _timeout: i32,
        ) -> u32 {
            let mut said = vec![app.to_owned(), icon.to_owned(), summary.to_owned()];
            said.push(body.to_owned());
            said.extend(actions);
            said.extend(hints.into_keys());
            // The test that does not listen any more has failed already.
            let _ = self.0.send(said);
            1
        }
    }

    /// Run inside `tests/session.sh`: its desktop has none until the test brings it.
    #[test]
    fn the_desktop_is_told_the_notice_and_nothing_more_and_one_without_a_place_for_it_breaks_nothing()
     {
        assert!(show(Notice::NewRecords).is_err(), "nobody is there");
        let (sender, shown) = mpsc::channel();
        let _desktop = zbus::blocking::connection::Builder::session()
            .unwrap()
            .name("org.freedesktop.Notifications")
            .unwrap()
            .serve_at("/org/freedesktop/Notifications", Desktop(sender))
            .unwrap()
            .build()
            .unwrap();
        for notice in Notice::ALL {
            show(notice).unwrap();
            let said: Vec<String> = shown.recv().unwrap();
            let words: Vec<&String> = said.iter().filter(|word| !word.is_empty()).collect();
            assert_eq!(words, [Notice::TITLE, Notice::TITLE, notice.text()]);
        }
    }
}
