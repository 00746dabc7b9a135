//! The loopback redirect (RFC 8252 §7.3, §8.3): a listener on 127.0.0.1 that is open only while a
//! login waits, answers one request on the exact path and host, and shows a page that holds no
//! parameter. Before that it may hand out, once, the page that posts a long authorization request
//! (SMART App Launch 2.2, `authorize-post`).

use crate::engine::lock;
use crate::login::StartedLogin;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use satchel_smart::authorization::AuthorizationForm;
use satchel_smart::{Random, SystemRandom};
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// Requests that are read at the same time.
const AT_A_TIME: usize = 256;
/// The longest request that is read.
const REQUEST_LIMIT: usize = 16 * 1024;
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// In each language of the window: which one that speaks is not known here.
const DONE_PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Satchel</title>\
<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
<body><main><h1>You can close this page</h1><p>The answer went to Satchel. Go back to it to see your records.</p>\
<section lang=\"es\"><h2>Puede cerrar esta página</h2><p>La respuesta llegó a Satchel. Vuelva a Satchel para ver sus registros.</p></section>\
</main></body></html>";

/// A listener that waits for one authorization response.
#[derive(Debug)]
pub struct LoopbackListener {
    listener: TcpListener,
    port: u16,
    /// Target and text of the page that is handed out once.
    offered: Mutex<Option<(String, Page)>>,
}

/// A page and the policy that goes with it.
#[derive(Clone)]
struct Page {
    html: String,
    policy: String,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Page([secret])")
    }
}

/// The script of the page that posts a request. Without scripts there is a button.
const SUBMIT: &str = "document.forms[0].submit()";

impl Page {
    /// A form that submits itself. `form-action` is left out of the policy: browsers apply it to the
    /// redirects that follow as well, and a portal may sign people in at another host.
    fn posting(form: &AuthorizationForm) -> Self {
        let mut fields = String::new();
        for (name, value) in &form.fields {
            fields.push_str(&format!(
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                escaped(name),
                escaped(value)
            ));
        }
        let html = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Satchel</title>\
             <meta name=\"color-scheme\" content=\"light dark\"><body><main>\
             <form method=\"post\" action=\"{}\">{fields}<button>Go on to the sign-in page</button></form>\
             </main><script>{SUBMIT}</script></body></html>",
            escaped(form.action.as_str())
        );
        let hash = digest(&SHA256, SUBMIT.as_bytes());
        let hash = base64::engine::general_purpose::STANDARD.encode(hash.as_ref());
        Self {
            html,
            policy: format!(
                "default-src 'none'; script-src 'sha256-{hash}'; frame-ancestors 'none'"
            ),
        }
    }

    fn fixed(html: &str) -> Self {
        Self {
            html: html.to_owned(),
            policy: "default-src 'none'".to_owned(),
        }
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// Where the answer to a login comes, and how it is told from others.
#[derive(Default)]
struct Awaited {
    path: String,
    state: String,
}

/// What a request was for.
enum Target {
    Callback(String),
    Offered,
    Nothing,
}

impl LoopbackListener {
    /// Binds 127.0.0.1 on a port that the system chooses.
    ///
    /// # Errors
    /// The operating system's, when no port can be had.
    pub async fn bind() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        Ok(Self {
            listener,
            port,
            offered: Mutex::default(),
        })
    }

    /// The port, for the redirect URI.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Hands out, once, the page that posts a long authorization request; gives its address, which
    /// nobody can guess, for the browser. It is removed as it is read, and never stored.
    #[must_use]
    pub fn offer(&mut self, form: &AuthorizationForm) -> String {
        let mut bytes = [0_u8; 32];
        SystemRandom.fill(&mut bytes);
        let name = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        let target = format!("/start/{name}");
        let address = format!("http://127.0.0.1:{}{target}", self.port);
        *lock(&self.offered) = Some((target, Page::posting(form)));
        address
    }

    /// Waits until the page of [`LoopbackListener::offer`] was read: for a login whose answer comes
    /// back another way. Ends at once when there is none.
    ///
    /// # Errors
    /// The operating system's, when the listener fails.
    pub async fn hand_out(self) -> std::io::Result<()> {
        let until = |target: &Target| matches!(target, Target::Offered);
        if lock(&self.offered).is_some() {
            self.serve_until(&Awaited::default(), until).await?;
        }
        Ok(())
    }

    /// Waits for the browser; gives the callback URL. Taken is what comes to the exact redirect URI of
    /// the login with the `state` of its request: any program on this machine can knock here first, and
    /// must not end the login by it. Anything else is answered with 404 and waited past.
    ///
    /// # Errors
    /// The operating system's, when the listener fails.
    pub async fn wait(self, login: &StartedLogin) -> std::io::Result<String> {
        let url = Url::parse(&login.view.authorization_url).ok();
        let state = url.and_then(|url| value_of("state", url.query().unwrap_or_default()));
        self.wait_at(&login.redirect_uri, &state.unwrap_or_default())
            .await
    }

    async fn wait_at(self, redirect_uri: &str, state: &str) -> std::io::Result<String> {
        let origin = format!("http://127.0.0.1:{}", self.port);
        let awaited = Awaited {
            path: redirect_uri.strip_prefix(&origin).unwrap_or("/").to_owned(),
            state: state.to_owned(),
        };
        let until = |target: &Target| matches!(target, Target::Callback(_));
        match self.serve_until(&awaited, until).await? {
            Target::Callback(target) => Ok(format!("{origin}{target}")),
            _ => Ok(origin),
        }
    }

    /// Answers requests, some at a time, so that one that says nothing holds up no other.
    async fn serve_until(
        &self,
        awaited: &Awaited,
        until: impl Fn(&Target) -> bool,
    ) -> std::io::Result<Target> {
        let host = format!("127.0.0.1:{}", self.port);
        let mut serving = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if serving.len() < AT_A_TIME => {
                    let (stream, _) = accepted?;
                    let served = serve(stream, &host, awaited, &self.offered);
                    serving.push(tokio::time::timeout(READ_TIMEOUT, served));
                }
                Some(served) = serving.next() => match served {
                    Ok(Ok(target)) if until(&target) => return Ok(target),
                    _ => {}
                },
            }
        }
    }
}

/// Answers one request; says what it was for.
async fn serve(
    mut stream: TcpStream,
    host: &str,
    awaited: &Awaited,
    offered: &Mutex<Option<(String, Page)>>,
) -> std::io::Result<Target> {
    let mut buffer = Vec::with_capacity(2048);
    let target = loop {
        let mut chunk = [0_u8; 2048];
        let read = stream.read(&mut chunk).await?;
        buffer.extend_from_slice(&chunk[..read]);
        if read == 0 || buffer.len() > REQUEST_LIMIT {
            break Target::Nothing;
        }
        let mut headers = [httparse::EMPTY_HEADER; 100];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(&buffer) {
            Ok(httparse::Status::Partial) => {}
            Ok(httparse::Status::Complete(_)) => {
                break target_of(&request, host, awaited, lock(offered).as_ref());
            }
            Err(_) => break Target::Nothing,
        }
    };
    let (status, page) = match &target {
        Target::Callback(_) => ("200 OK", Page::fixed(DONE_PAGE)),
        Target::Offered => match lock(offered).take() {
            Some((_, page)) => ("200 OK", page),
            None => ("404 Not Found", Page::fixed("Not found")),
        },
        Target::Nothing => ("404 Not Found", Page::fixed("Not found")),
    };
    let Page { html, policy } = page;
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
         Content-Security-Policy: {policy}\r\nX-Content-Type-Options: nosniff\r\n\
         Connection: close\r\n\r\n{html}",
        html.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(target)
}

fn target_of(
    request: &httparse::Request<'_, '_>,
    host: &str,
    awaited: &Awaited,
    offered: Option<&(String, Page)>,
) -> Target {
    if let Some(target) = awaited_target(request, host, awaited) {
        return Target::Callback(target);
    }
    let is_offered =
        offered.is_some_and(|(target, _)| request.path == Some(target)) && is_get_at(request, host);
    if is_offered {
        Target::Offered
    } else {
        Target::Nothing
    }
}

fn is_get_at(request: &httparse::Request<'_, '_>, host: &str) -> bool {
    let host_matches = request
        .headers
        .iter()
        .any(|header| header.name.eq_ignore_ascii_case("host") && header.value == host.as_bytes());
    request.method == Some("GET") && host_matches
}

fn awaited_target(
    request: &httparse::Request<'_, '_>,
    host: &str,
    awaited: &Awaited,
) -> Option<String> {
    let target = request.path?;
    let (before, query) = target.split_once('?')?;
    let ours = before == awaited.path && value_of("state", query)? == awaited.state;
    (is_get_at(request, host) && ours && !awaited.state.is_empty()).then(|| target.to_owned())
}

/// The first value of a parameter.
fn value_of(name: &str, query: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (_, value) = pairs.find(|(found, _)| found == name)?;
    Some(value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn send(port: u16, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    #[tokio::test]
    async fn c27_only_get_on_the_exact_path_and_host_is_taken() {
        let listener = LoopbackListener::bind().await.unwrap();
        let port = listener.port();
        let redirect = format!("http://127.0.0.1:{port}/callback/abc");
        let wait = tokio::spawn(async move { listener.wait_at(&redirect, "x").await.unwrap() });
        for wrong in [
            format!("POST /callback/abc?code=1&state=x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
            format!("GET /callback/abd?code=1&state=x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
            format!("GET /callback/abc HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
            format!("GET /callback/abc?code=1&state=x HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"),
            format!("GET /callback/abc?code=1&state=y HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
            format!("GET /callback/abc?code=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
            "GET\r\n\r\n".to_owned(),
        ] {
            assert!(
                !send(port, &wrong).await.starts_with("HTTP/1.1 200"),
                "{wrong}"
            );
        }
        assert!(!wait.is_finished());
        let page = send(
            port,
            &format!(
                "GET /callback/abc?code=s3cret&state=x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
            ),
        )
        .await;
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("no-store"));
        assert!(!page.contains("s3cret"));
        let callback = wait.await.unwrap();
        assert_eq!(
            callback,
            format!("http://127.0.0.1:{port}/callback/abc?code=s3cret&state=x")
        );
        assert!(
            TcpStream::connect(("127.0.0.1", port)).await.is_err(),
            "closed after one answer"
        );
    }

    fn form() -> AuthorizationForm {
        AuthorizationForm {
            action: url::Url::parse("https://ehr.example/authorize?a=1&b=2").unwrap(),
            fields: vec![
                (
                    "scope".to_owned(),
                    "patient/Observation.rs?category=a|b \"'<script>".to_owned(),
                ),
                ("state".to_owned(), "s3cret".to_owned()),
            ],
        }
    }

    #[tokio::test]
    async fn c20_the_posting_page_is_handed_out_once_to_who_knows_its_address() {
        let mut listener = LoopbackListener::bind().await.unwrap();
        let port = listener.port();
        let address = listener.offer(&form());
        assert!(!format!("{listener:?}").contains("s3cret"));
        let redirect = format!("http://127.0.0.1:{port}/callback/abc");
        let wait = tokio::spawn(async move { listener.wait_at(&redirect, "x").await.unwrap() });
        let path = address
            .strip_prefix(&format!("http://127.0.0.1:{port}"))
            .unwrap();
        let get = |path: &str, host: &str| {
            let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            async move { send(port, &request).await }
        };
        let here = format!("127.0.0.1:{port}");
        assert!(get("/start/guess", &here).await.starts_with("HTTP/1.1 404"));
        assert!(get(path, "evil.example").await.starts_with("HTTP/1.1 404"));
        let page = get(path, &here).await;
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        for part in [
            "Cache-Control: no-store",
            "Referrer-Policy: no-referrer",
            "method=\"post\" action=\"https://ehr.example/authorize?a=1&amp;b=2\"",
            "value=\"patient/Observation.rs?category=a|b &quot;&#39;&lt;script&gt;\"",
            "value=\"s3cret\"",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let hash = digest(&SHA256, SUBMIT.as_bytes());
        let hash = base64::engine::general_purpose::STANDARD.encode(hash.as_ref());
        assert!(page.contains(&format!("script-src 'sha256-{hash}'")));
        assert!(page.contains(&format!("<script>{SUBMIT}</script>")));
        assert!(
            get(path, &here).await.starts_with("HTTP/1.1 404"),
            "removed after use"
        );
        assert!(!wait.is_finished(), "the answer is still waited for");
        get("/callback/abc?code=1&state=x", &here).await;
        assert!(
            wait.await
                .unwrap()
                .ends_with("/callback/abc?code=1&state=x")
        );
    }

    #[tokio::test]
    async fn c20_the_listener_closes_once_the_page_is_read_when_the_answer_comes_another_way() {
        let mut listener = LoopbackListener::bind().await.unwrap();
        let port = listener.port();
        let address = listener.offer(&form());
        let done = tokio::spawn(listener.hand_out());
        let path = address
            .strip_prefix(&format!("http://127.0.0.1:{port}"))
            .unwrap();
        send(
            port,
            &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
        )
        .await;
        tokio::time::timeout(READ_TIMEOUT, done)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
        let idle = LoopbackListener::bind().await.unwrap();
        idle.hand_out().await.unwrap();
    }
}
