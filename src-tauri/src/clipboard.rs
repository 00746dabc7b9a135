//! What a person copies, for as long as it should be in the clipboard. The window cannot look whether the
//! clipboard still holds what it put there, so it is copied here.

use arboard::{Clipboard, Error};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tauri::{AppHandle, Manager};

/// As long as it takes to paste it somewhere.
const KEPT: Duration = Duration::from_secs(30);

/// What Satchel put into the clipboard, until it is taken out again.
#[derive(Default)]
pub(crate) struct Copied(Mutex<Held>);

#[derive(Default)]
struct Held {
    /// On X11 it is this program that hands out what was copied, for as long as this is there.
    clipboard: Option<Clipboard>,
    text: Option<String>,
    times: u64,
}

impl Copied {
    /// Copies; with `cleared`, for half a minute.
    pub(crate) fn copy(&self, app: &AppHandle, text: String, cleared: bool) -> Result<(), Error> {
        let times = self.put(text, cleared)?;
        if cleared {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                tokio::time::sleep(KEPT).await;
                app.state::<Self>().clear_if(Some(times));
            });
        }
        Ok(())
    }

    /// Takes out what was copied, if it is there still.
    pub(crate) fn clear(&self) {
        self.clear_if(None);
    }

    fn put(&self, text: String, hidden: bool) -> Result<u64, Error> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let clipboard = match &mut held.clipboard {
            Some(clipboard) => clipboard,
            none => none.insert(Clipboard::new()?),
        };
        let set = match hidden {
            true => hidden_from_histories(clipboard.set()),
            false => clipboard.set(),
        };
        set.text(&text)?;
        held.text = Some(text);
        held.times = held.times.wrapping_add(1);
        Ok(held.times)
    }

    /// Of the copy with this number; of any.
    fn clear_if(&self, times: Option<u64>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if times.is_some_and(|times| times != held.times) {
            return;
        }
        let Some(text) = held.text.take() else {
            return;
        };
        let Some(clipboard) = &mut held.clipboard else {
            return;
        };
        // Something else by now, or nothing that is text: not ours.
        if clipboard.get_text().is_ok_and(|now| now == text)
            && let Err(error) = clipboard.clear()
        {
            tracing::warn!(%error, "the clipboard could not be cleared");
        }
    }
}

/// Programs that keep a history of the clipboard are asked to leave this out of it.
fn hidden_from_histories(set: arboard::Set<'_>) -> arboard::Set<'_> {
    #[cfg(target_os = "linux")]
    {
        use arboard::SetExtLinux;
        set.exclude_from_history()
    }
    #[cfg(windows)]
    {
        use arboard::SetExtWindows;
        set.exclude_from_monitoring()
    }
    #[cfg(target_os = "macos")]
    {
        use arboard::SetExtApple;
        set.exclude_from_history()
    }
    #[cfg(not(any(target_os = "linux", windows, target_os = "macos")))]
    set
}
