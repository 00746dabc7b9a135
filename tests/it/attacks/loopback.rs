//! Other programs of this computer at the loopback address (RFC 8252 §8.3, checklist C26, C27).

use super::rogue::{ends, query_of};
use crate::portal::{self, Decision};
use crate::world::{Setting, setting};
use rstest::rstest;
use satchel_core::view::Role;
use satchel_core::{LoginOptions, LoopbackListener, RedirectKind, StartedLogin};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn begin(setting: &Setting, port: u16) -> StartedLogin {
    let options = LoginOptions::new(Role::Patient, &[RedirectKind::Loopback], Some(port));
    let login = setting
        .engine
        .login_begin(setting.mock.fhir_base(), &options);
    login.await.unwrap()
}

async fn person_goes_through(setting: &Setting, login: &StartedLogin) -> String {
    let person = setting.patient();
    let (name, password) = (&person.username, &person.password);
    let address = &login.view.authorization_url;
    portal::sign_in(address, name, password, None, Decision::Approve).await
}

async fn knock(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

/// Another program knocks first: it gets nothing, and the person's own answer still counts.
#[rstest]
#[case::with_a_wrong_state("GET {path}?code=stolen&state=guess HTTP/1.1\r\nHost: {host}\r\n\r\n")]
#[case::without_state("GET {path}?code=stolen HTTP/1.1\r\nHost: {host}\r\n\r\n")]
#[case::with_an_error("GET {path}?error=access_denied HTTP/1.1\r\nHost: {host}\r\n\r\n")]
#[case::by_another_name(
    "GET {path}?code=stolen&state={state} HTTP/1.1\r\nHost: evil.example\r\n\r\n"
)]
#[case::by_post(
    "POST {path}?code=stolen&state={state} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n"
)]
#[case::at_another_path("GET /callback?code=stolen&state={state} HTTP/1.1\r\nHost: {host}\r\n\r\n")]
#[case::with_something_else_than_http("\u{16}\u{3}\u{1}\r\n\r\n")]
#[tokio::test]
async fn c27_another_program_knocks_first(#[case] request: &str) {
    let setting = setting().await;
    let listener = LoopbackListener::bind().await.unwrap();
    let port = listener.port();
    let login = begin(&setting, port).await;
    let begun = login.clone();
    let waiting = tokio::spawn(async move { listener.wait(&begun).await.unwrap() });
    let host = format!("127.0.0.1:{port}");
    let path = login
        .redirect_uri
        .strip_prefix(&format!("http://{host}"))
        .unwrap();
    let state = &query_of(&login.view.authorization_url)["state"];
    let request = request
        .replace("{path}", path)
        .replace("{host}", &host)
        .replace("{state}", state);
    for _ in 0..5 {
        let answer = knock(port, &request).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        assert!(!answer.contains(state.as_str()));
    }
    assert!(!waiting.is_finished(), "the listener is still there");
    assert_eq!(setting.asked("/auth/token"), 0);
    let callback = person_goes_through(&setting, &login).await;
    assert!(reqwest::get(&callback).await.unwrap().status().is_success());
    setting
        .engine
        .login_finish(&waiting.await.unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn c27_a_hundred_connections_that_say_nothing_do_not_hold_up_the_answer() {
    let setting = setting().await;
    let listener = LoopbackListener::bind().await.unwrap();
    let port = listener.port();
    let login = begin(&setting, port).await;
    let begun = login.clone();
    let waiting = tokio::spawn(async move { listener.wait(&begun).await.unwrap() });
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    let callback = person_goes_through(&setting, &login).await;
    let began = std::time::Instant::now();
    assert!(reqwest::get(&callback).await.unwrap().status().is_success());
    assert!(began.elapsed().as_secs() < 8, "{:?}", began.elapsed());
    setting
        .engine
        .login_finish(&waiting.await.unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn c27_what_another_program_brings_by_hand_ends_in_a_problem() {
    let setting = setting().await;
    let login = begin(&setting, 4711).await;
    let made_up = format!("{}?code=stolen&state=guess", login.redirect_uri);
    ends(
        setting.engine.login_finish(&made_up).await,
        "login.unknown_state",
        "no sign-in in progress",
    );
    assert_eq!(setting.asked("/auth/token"), 0);
}

#[tokio::test]
async fn c26_a_program_that_took_the_port_and_got_the_code_can_do_nothing_with_it() {
    let setting = setting().await;
    let thief = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let login = begin(&setting, thief.local_addr().unwrap().port()).await;
    let stolen = person_goes_through(&setting, &login).await;
    let (code, request) = (
        &query_of(&stolen)["code"],
        query_of(&login.view.authorization_url),
    );
    let token_endpoint = format!("{}/auth/token", setting.mock.issuer().trim_end_matches('/'));
    for verifier in ["", "A".repeat(43).as_str(), &request["code_challenge"]] {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &request["redirect_uri"]),
            ("client_id", &request["client_id"]),
            ("code_verifier", verifier),
        ];
        let answer = reqwest::Client::new()
            .post(&token_endpoint)
            .form(&form)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_client_error(), "{verifier:?}");
    }
    assert!(setting.mock.tokens().is_empty(), "no token was given");
}

#[tokio::test]
async fn c26_a_port_that_is_taken_is_never_waited_at() {
    let mut ports = std::collections::HashSet::new();
    let mut held = Vec::new();
    for _ in 0..50 {
        let listener = LoopbackListener::bind().await.unwrap();
        assert!(ports.insert(listener.port()), "a port of its own each time");
        let again = TcpListener::bind(("127.0.0.1", listener.port())).await;
        assert!(again.is_err(), "nobody else can take it meanwhile");
        held.push(listener);
    }
}
