//! Links that other programs and web pages open: answers to sign-ins, and launches (checklist C30, C31,
//! C11). The attacker of the first tests even knows the `state`.

use super::rogue::{Rogue, ends, foiled, query_of, victim};
use crate::portal::Decision;
use crate::world::setting;
use rstest::rstest;
use satchel_core::view::Role;
use satchel_core::{LaunchReceived, LoginOptions, RedirectKind};

fn by_scheme() -> LoginOptions {
    LoginOptions::new(Role::Patient, &[RedirectKind::Scheme], None)
}

/// A link made of the right one's parts: `{path}` is `callback/…`, `{query}` its right parameters.
#[rstest]
#[case::with_a_scheme_in_other_letters(
    "\u{43e}rg.satchel.app:/{path}?{query}",
    "login.bad_callback",
    "not a URL"
)]
#[case::with_a_wide_scheme(
    "\u{ff4f}rg.satchel.app:/{path}?{query}",
    "login.bad_callback",
    "not a URL"
)]
#[case::with_a_scheme_that_is_nearly_ours(
    "org.satchel.app2:/{path}?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::with_a_scheme_below_ours(
    "org.satchel:/{path}?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::of_the_web(
    "https://org.satchel.app/{path}?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::with_a_host(
    "org.satchel.app://{path}?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::with_three_slashes(
    "org.satchel.app:///{path}?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::without_a_slash(
    "org.satchel.app:{path}?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::in_capitals(
    "org.satchel.app:/{PATH}?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::with_a_slash_more(
    "org.satchel.app:/{path}/?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::with_a_folder_more(
    "org.satchel.app:/{path}/more?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::of_another_server(
    "org.satchel.app:/callback/0000000000000000?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::of_no_server(
    "org.satchel.app:/callback?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::with_an_encoded_path(
    "org.satchel.app:/%63{rest}?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::with_a_path_encoded_twice(
    "org.satchel.app:/%2563{rest}?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::with_letters_that_turn_the_text_round(
    "org.satchel.app:/\u{202e}{path}?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::with_a_zero_byte(
    "org.satchel.app:/{path}%00?{query}",
    "login.bad_callback",
    "another address"
)]
#[case::with_its_parameters_encoded_once_more(
    "org.satchel.app:/{path}?{encoded}",
    "login.bad_callback",
    "no state"
)]
#[case::with_its_parameters_in_the_fragment(
    "org.satchel.app:/{path}#{query}",
    "login.bad_callback",
    "no state"
)]
#[case::with_half_of_it_in_the_fragment(
    "org.satchel.app:/{path}?state={state}#code=c0de",
    "login.wrong_issuer",
    "instead of"
)]
#[case::with_the_code_twice(
    "org.satchel.app:/{path}?{query}&code=mine",
    "login.bad_callback",
    "code twice"
)]
#[case::with_the_state_twice(
    "org.satchel.app:/{path}?{query}&state=mine",
    "login.bad_callback",
    "state twice"
)]
#[case::with_an_error_twice(
    "org.satchel.app:/{path}?{query}&error=a&error=b",
    "login.bad_callback",
    "error twice"
)]
#[case::that_is_half_a_link("org.satchel.app:/{path}?sta", "login.bad_callback", "no state")]
#[case::that_is_only_a_scheme("org.satchel.app:", "login.bad_callback", "no state")]
#[case::that_is_nothing("", "login.bad_callback", "not a URL")]
#[case::that_is_a_script("javascript:alert(document.domain)", "login.bad_callback", "no state")]
#[case::that_is_a_file("file:///etc/passwd?{query}", "login.bad_callback", "another address")]
#[case::that_is_no_text("\u{0}\u{1}\u{2}", "login.bad_callback", "not a URL")]
#[case::of_a_megabyte(
    "org.satchel.app:/{path}?{query}&more={megabyte}",
    "login.bad_callback",
    "too long"
)]
#[tokio::test]
async fn c31_a_link(#[case] link: &str, #[case] code: &str, #[case] names: &str) {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    let login = rogue.begin(&victim.engine).await.unwrap();
    let right = rogue.callback(&login);
    let (address, query) = right.split_once('?').unwrap();
    let path = address.strip_prefix("org.satchel.app:/").unwrap();
    let state = &query_of(&login.view.authorization_url)["state"];
    let link = link
        .replace("{PATH}", &path.to_uppercase())
        .replace("{path}", path)
        .replace("{rest}", path.strip_prefix('c').unwrap())
        .replace("{query}", query)
        .replace("{encoded}", &query.replace('=', "%3D").replace('&', "%26"))
        .replace("{state}", state)
        .replace("{megabyte}", &"x".repeat(1024 * 1024));
    ends(victim.engine.login_finish(&link).await, code, names);
    assert!(rogue.asked("/token").await.is_empty(), "no code was traded");
    let connections = victim.engine.connections().await.unwrap();
    assert!(
        connections.iter().all(|one| one.granted.is_empty()),
        "nobody is signed in"
    );
}

#[tokio::test]
async fn c31_five_thousand_links_do_not_end_the_sign_in_that_waits() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    let login = rogue.begin(&victim.engine).await.unwrap();
    let right = rogue.callback(&login);
    let before = rogue.all_requests().await.len();
    for number in 0..5_000 {
        let link = format!("{}?code=c0de&state={number:043}", login.redirect_uri);
        ends(
            victim.engine.login_finish(&link).await,
            "login.unknown_state",
            "no sign-in in progress",
        );
    }
    assert_eq!(rogue.all_requests().await.len(), before, "not one request");
    assert_eq!(
        victim.engine.connections().await.unwrap().len(),
        1,
        "nothing piled up"
    );
    victim
        .engine
        .login_finish(&right)
        .await
        .expect("the right answer still counts");
}

#[tokio::test]
async fn c31_a_thousand_links_at_once_and_one_of_them_right() {
    let (rogue, victim) = (Rogue::start().await, victim().await);
    let login = rogue.begin(&victim.engine).await.unwrap();
    let right = rogue.callback(&login);
    let links = (0..1_000).map(|number| match number {
        500 => right.clone(),
        501 => right.replace("c0de", "stolen"),
        _ => format!("{}?code=c0de&state={number:043}", login.redirect_uri),
    });
    let finished = links.map(|link| {
        let engine = victim.engine.clone();
        async move { engine.login_finish(&link).await.is_ok() }
    });
    let done = futures::future::join_all(finished).await;
    assert_eq!(done.iter().filter(|ok| **ok).count(), 1, "only one counts");
    assert_eq!(rogue.asked("/token").await.len(), 1);
}

#[rstest]
#[case::without_a_server("launch=x", "no iss")]
#[case::without_a_launch("iss=https://ehr.example/fhir", "no launch")]
#[case::with_two_servers(
    "iss=https://ehr.example/fhir&iss=https://evil.example/fhir&launch=x",
    "iss twice"
)]
#[case::with_two_launches("iss=https://ehr.example/fhir&launch=x&launch=y", "launch twice")]
#[case::to_a_server_without_protection(
    "iss=http://ehr.example/fhir&launch=x",
    "does not start with https"
)]
#[case::to_the_clouds_own_address(
    "iss=http://169.254.169.254/latest&launch=x",
    "does not start with https"
)]
#[case::to_a_name_before_the_at_sign(
    "iss=https://ehr.example@evil.example/fhir&launch=x",
    "user name or password"
)]
#[case::to_a_file("iss=file:///etc/passwd&launch=x", "cannot be used")]
#[case::to_a_script("iss=javascript:alert(1)&launch=x", "cannot be used")]
#[case::to_a_server_encoded_twice(
    "iss=https%253A%252F%252Fevil.example&launch=x",
    "cannot be used"
)]
#[case::to_a_server_behind_backslashes("iss=https:%5C%5Cevil.example&launch=x", "cannot be used")]
#[case::to_a_server_with_a_query(
    "iss=https://ehr.example/fhir%3Fnext%3Dhttps://evil.example&launch=x",
    "query or fragment"
)]
#[case::with_a_line_break_in_the_launch(
    "iss=https://ehr.example/fhir&launch=a%0D%0AHost:%20evil.example",
    "characters"
)]
#[case::with_a_launch_that_never_ends("iss=https://ehr.example/fhir&launch={long}", "too long")]
#[case::in_the_fragment("#iss=https://ehr.example/fhir&launch=x", "no iss")]
#[tokio::test]
async fn c11_a_launch(#[case] query: &str, #[case] names: &str) {
    let victim = victim().await;
    let query = query.replace("{long}", &"x".repeat(5_000));
    let link = format!("org.satchel.app:/launch?{query}");
    let result = victim.engine.launch_received(&link, &by_scheme()).await;
    foiled(&victim.engine, result, "launch.bad_link", names).await;
    assert!(
        victim.engine.launches_pending().is_empty(),
        "nobody is asked"
    );
}

#[rstest]
#[case::a_server_that_nobody_knows("https://evil.example/fhir", "evil.example")]
#[case::a_name_in_other_letters("https://ehr.ex\u{430}mple/fhir", "ehr.xn--exmple-4nf")]
#[case::a_name_in_wide_letters("https://\u{ff45}vil.example/fhir", "evil.example")]
#[case::a_dot_that_is_none(
    "https://ehr.example\u{3002}evil.example/fhir",
    "ehr.example.evil.example"
)]
#[case::an_address_as_one_number("https://2852039166/latest", "169.254.169.254")]
#[tokio::test]
async fn c11_a_launch_asks_first_and_shows_where_it_really_leads(
    #[case] iss: &str,
    #[case] shown: &str,
) {
    let victim = victim().await;
    let link = format!("org.satchel.app:/launch?iss={iss}&launch=x");
    let received = victim
        .engine
        .launch_received(&link, &by_scheme())
        .await
        .unwrap();
    let LaunchReceived::Asked(question) = received else {
        panic!("a server that is not known is asked about");
    };
    assert_eq!((question.host.as_str(), question.known), (shown, false));
    assert!(
        victim.engine.connections().await.unwrap().is_empty(),
        "nothing was begun"
    );
    victim.engine.launch_refuse(&question.id);
    let result = victim
        .engine
        .launch_accept(&question.id, &by_scheme())
        .await;
    foiled(
        &victim.engine,
        result,
        "launch.unknown",
        "no longer waiting",
    )
    .await;
}

#[tokio::test]
async fn c11_two_thousand_launches_to_a_server_that_is_known() {
    let setting = setting().await;
    setting.connect(setting.patient()).await;
    let before = setting.mock.requests().len();
    let link = format!(
        "org.satchel.app:/launch?iss={}&launch=x",
        setting.mock.fhir_base()
    );
    let mut started = 0;
    for _ in 0..2_000 {
        let received = setting
            .engine
            .launch_received(&link, &by_scheme())
            .await
            .unwrap();
        started += usize::from(matches!(received, LaunchReceived::Started(_)));
    }
    assert_eq!(started, 3, "further ones ask");
    assert_eq!(setting.engine.launches_pending().len(), 1, "once");
    assert!(
        setting.mock.requests().len() - before < 20,
        "the server hears of three"
    );
    let waiting = setting.engine.launches_pending().remove(0);
    setting.engine.launch_refuse(&waiting.id);
    let result = setting
        .engine
        .launch_accept(&waiting.id, &by_scheme())
        .await;
    ends(result, "launch.unknown", "no longer waiting");
}

#[tokio::test]
async fn c11_a_launch_by_somebody_else_does_not_take_over_the_sign_in_that_waits() {
    let setting = setting().await;
    setting.connect(setting.patient()).await;
    let ben = setting.mock.accounts()[1].clone();
    let mine = setting.callback_of(&ben, Decision::Approve).await;
    let link = format!(
        "org.satchel.app:/launch?iss={}&launch=theirs",
        setting.mock.fhir_base()
    );
    setting
        .engine
        .launch_received(&link, &by_scheme())
        .await
        .unwrap();
    setting
        .engine
        .login_finish(&mine)
        .await
        .expect("what the person began goes on");
    ends(
        setting.engine.login_finish(&mine).await,
        "login.unknown_state",
        "no sign-in in progress",
    );
}
