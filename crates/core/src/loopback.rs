//! The loopback redirect (RFC 8252 §7.3, §8.3): a listener on 127.0.0.1 that is open only while a
//! login waits, answers one request on the exact path and host, and shows a page that holds no
//! parameter.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The longest request that is read.
const REQUEST_LIMIT: usize = 16 * 1024;
const READ_TIMEOUT: Duration = Duration::from_secs(5);

const DONE_PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Satchel</title>\
<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
<body><main><h1>You can close this page</h1><p>The answer went to Satchel. Go back to it to see your records.</p></main></body></html>";

/// A listener that waits for one authorization response.
#[derive(Debug)]
pub struct LoopbackListener {
    listener: TcpListener,
    port: u16,
}

impl LoopbackListener {
    /// Binds 127.0.0.1 on a port that the system chooses.
    ///
    /// # Errors
    /// The operating system's, when no port can be had.
    pub async fn bind() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    /// The port, for the redirect URI.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the browser; gives the callback URL. `redirect_uri` is the exact one of the
    /// request. Anything else is answered with 404 and waited past.
    ///
    /// # Errors
    /// The operating system's, when the listener fails.
    pub async fn wait(self, redirect_uri: &str) -> std::io::Result<String> {
        let origin = format!("http://127.0.0.1:{}", self.port);
        let path = redirect_uri.strip_prefix(&origin).unwrap_or("/").to_owned();
        loop {
            let (stream, _) = self.listener.accept().await?;
            let host = format!("127.0.0.1:{}", self.port);
            let answer = tokio::time::timeout(READ_TIMEOUT, serve(stream, &host, &path)).await;
            if let Ok(Ok(Some(target))) = answer {
                return Ok(format!("{origin}{target}"));
            }
        }
    }
}

/// Answers one request; gives its target when it is the awaited one.
async fn serve(mut stream: TcpStream, host: &str, path: &str) -> std::io::Result<Option<String>> {
    let mut buffer = Vec::with_capacity(2048);
    let target = loop {
        let mut chunk = [0_u8; 2048];
        let read = stream.read(&mut chunk).await?;
        buffer.extend_from_slice(&chunk[..read]);
        if read == 0 || buffer.len() > REQUEST_LIMIT {
            break None;
        }
        let mut headers = [httparse::EMPTY_HEADER; 100];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(&buffer) {
            Ok(httparse::Status::Partial) => {}
            Ok(httparse::Status::Complete(_)) => break awaited_target(&request, host, path),
            Err(_) => break None,
        }
    };
    let (status, body) = match target {
        Some(_) => ("200 OK", DONE_PAGE),
        None => ("404 Not Found", "Not found"),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
         Content-Security-Policy: default-src 'none'\r\nX-Content-Type-Options: nosniff\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(target)
}

fn awaited_target(request: &httparse::Request<'_, '_>, host: &str, path: &str) -> Option<String> {
    let target = request.path?;
    let is_get = request.method == Some("GET");
    let host_matches = request
        .headers
        .iter()
        .any(|header| header.name.eq_ignore_ascii_case("host") && header.value == host.as_bytes());
    let (before, query) = target.split_once('?')?;
    (is_get && host_matches && before == path && !query.is_empty()).then(|| target.to_owned())
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
        let wait = tokio::spawn(async move { listener.wait(&redirect).await.unwrap() });
        for wrong in [
            format!("POST /callback/abc?code=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
            format!("GET /callback/abd?code=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
            format!("GET /callback/abc HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
            format!("GET /callback/abc?code=1 HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"),
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
}
