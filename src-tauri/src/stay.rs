//! The window shows Satchel and nothing else. What is in a record cannot lead it away: the content security
//! policy says what a page may fetch, but not where a window may go.

use tauri::plugin::{Builder, TauriPlugin};
use tauri::{Manager, Runtime, Url, Webview};

/// Refuses every way out of the app's own pages.
pub(crate) fn init<R: Runtime>() -> TauriPlugin<R> {
    Builder::new("stay")
        .on_navigation(|webview: &Webview<R>, url| {
            is_own(url, webview.config().build.dev_url.as_ref())
        })
        .build()
}

/// `tauri://localhost`; `http(s)://tauri.localhost` on Windows; the development server, where there is one.
fn is_own(url: &Url, dev_server: Option<&Url>) -> bool {
    let own = match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => cfg!(windows) && url.host_str() == Some("tauri.localhost"),
        _ => false,
    };
    own || (tauri::is_dev() && dev_server.is_some_and(|dev| dev.origin() == url.origin()))
}

#[cfg(test)]
mod tests {
    use super::is_own;
    use tauri::Url;

    #[test]
    fn only_the_apps_own_pages_are_gone_to() {
        let own = |address: &str| is_own(&Url::parse(address).unwrap(), None);
        assert!(own("tauri://localhost/") && own("tauri://localhost/index.html"));
        for elsewhere in [
            "https://evil.example/",
            "http://127.0.0.1/",
            "http://localhost/",
            "file:///etc/passwd",
            "data:text/html,x",
            "about:blank",
            "tauri://evil.example/",
            "javascript:alert(1)",
        ] {
            assert!(!own(elsewhere), "{elsewhere}");
        }
    }
}
