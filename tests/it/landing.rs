//! The page that a browser shows where the claimed https redirect does not open the app.

use base64::Engine as _;
use sha2::{Digest, Sha256};

fn file(name: &str) -> String {
    let path = format!("{}/site/callback/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn c25_the_landing_page_loads_nothing_runs_nothing_and_leads_nowhere() {
    let page = file("index.html").to_ascii_lowercase();
    for word in [
        "<script",
        "javascript:",
        "http://",
        "https://",
        "//",
        "src=",
        "href=",
        "<form",
        "<iframe",
        "<img",
        "<link",
        "<a ",
        "@import",
        "url(",
        "http-equiv",
        "location",
        "onload",
        "onclick",
    ] {
        assert!(!page.contains(word), "{word:?} in the page");
    }
    assert!(page.contains("name=\"referrer\" content=\"no-referrer\""));
    assert!(page.contains("<html lang=") && page.contains("<title>") && page.contains("<main>"));
}

#[test]
fn c25_the_landing_pages_headers_keep_the_code_to_this_browser() {
    let page = file("index.html");
    let style = page.split("<style>").nth(1).unwrap();
    let style = style.split("</style>").next().unwrap();
    let digest = Sha256::digest(style.as_bytes());
    let hash = base64::engine::general_purpose::STANDARD.encode(digest);
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    for name in ["_headers", "nginx.conf"] {
        let headers = file(name);
        for value in ["no-store", "no-referrer", "nosniff", policy.as_str()] {
            assert!(headers.contains(value), "{value} in {name}");
        }
    }
    let server = file("nginx.conf");
    assert!(
        server.contains("access_log off;"),
        "a log would keep the code"
    );
    assert!(
        !server.contains("proxy_pass")
            && !server.contains("return 30")
            && !server.contains("rewrite")
    );
}
