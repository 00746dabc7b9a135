//! What comes back from the browser goes to nobody else: no page of ours sends the browser on, and no
//! address in an answer is asked for (checklist H9; RFC 9700 §4.11).

use super::rogue::{Rogue, victim};
use crate::world::setting;
use rstest::rstest;
use satchel_core::view::Role;
use satchel_core::{LoginOptions, LoopbackListener, RedirectKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn page(port: u16, target: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// No header and no element that makes a browser go elsewhere, or load something, or say where it was.
fn sends_nobody_anywhere(page: &str) {
    let lower = page.to_lowercase();
    for way in [
        "location:",
        "refresh:",
        "set-cookie:",
        "link:",
        "http-equiv",
        "<script",
        "<a ",
        "<form",
        "<img",
        "<iframe",
        "<link",
        "<base",
        "evil.example",
        "s3cret",
    ] {
        assert!(!lower.contains(way), "{way}: {page}");
    }
    assert!(lower.contains("referrer-policy: no-referrer"), "{page}");
    assert!(
        lower.contains("content-security-policy: default-src 'none'"),
        "{page}"
    );
    assert!(lower.contains("cache-control: no-store"), "{page}");
}

#[rstest]
#[case::by_a_redirect_uri("&redirect_uri=https://evil.example/")]
#[case::by_a_place_to_go_on_to("&next=https://evil.example/&return_to=//evil.example")]
#[case::by_markup("&x=%3Cscript%20src=//evil.example%3E")]
#[case::by_a_header("&x=%0d%0aLocation:%20https://evil.example/")]
#[case::by_a_target_url("&target_link_uri=https://evil.example/")]
#[tokio::test]
async fn h9_an_answer_that_wants_the_browser_sent_on(#[case] more: &str) {
    let setting = setting().await;
    let listener = LoopbackListener::bind().await.unwrap();
    let port = listener.port();
    let options = LoginOptions::new(Role::Patient, &[RedirectKind::Loopback], Some(port));
    let login = setting
        .engine
        .login_begin(setting.mock.fhir_base(), &options)
        .await
        .unwrap();
    let path = login
        .redirect_uri
        .strip_prefix(&format!("http://127.0.0.1:{port}"))
        .unwrap()
        .to_owned();
    let state = super::rogue::query_of(&login.view.authorization_url)["state"].clone();
    let waiting = tokio::spawn(async move { listener.wait(&login).await.unwrap() });
    for other in [
        format!("//evil.example/{path}?code=s3cret&state={state}"),
        format!("https://evil.example{path}?code=s3cret&state={state}"),
        format!("/start/guess?code=s3cret{more}"),
        format!("/?code=s3cret{more}"),
    ] {
        let answer = page(port, &other).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{other}: {answer}");
        sends_nobody_anywhere(&answer);
    }
    let answer = page(port, &format!("{path}?code=s3cret&state={state}{more}")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    sends_nobody_anywhere(&answer);
    assert!(!answer.contains(&state), "{answer}");
    waiting.await.unwrap();
}

#[rstest]
#[case::a_redirect_uri("redirect_uri")]
#[case::a_token_endpoint("token_endpoint")]
#[case::a_place_to_go_on_to("next")]
#[case::an_error_page("error_uri")]
#[tokio::test]
async fn h9_an_answer_that_names_another_address(#[case] name: &str) {
    let (rogue, victim, thief) = (Rogue::start().await, victim().await, Rogue::start().await);
    let login = rogue.begin(&victim.engine).await.unwrap();
    let callback = rogue.callback(&login) + &format!("&{name}={}/collect", thief.uri());
    // Whether it is taken or refused: the address in it hears nothing.
    let _ = victim.engine.login_finish(&callback).await;
    assert!(thief.all_requests().await.is_empty(), "nobody asked there");
}
