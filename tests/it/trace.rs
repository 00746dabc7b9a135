//! What a trace shows of a whole sign-in, a refresh and a sync, and what it never shows.

use crate::portal::Decision;
use crate::world::{Setting, setting, setting_of};
use satchel_core::trace::{TraceFlowView, TraceKind, TraceOutcome, TraceStep, TraceView};
use satchel_core::{Random, SystemRandom};
use satchel_mock::{Endpoint, FaultKind, IdTokenFault};
use std::sync::{Arc, Mutex};

/// Remembers what it gave: `state`, `nonce`, the PKCE verifier, `jti` are made of it.
#[derive(Default)]
struct Remembering(Mutex<Vec<Vec<u8>>>);

impl Random for Remembering {
    fn fill(&self, dest: &mut [u8]) {
        SystemRandom.fill(dest);
        self.0.lock().unwrap().push(dest.to_vec());
    }
}

/// Base64url without padding (RFC 4648 §5).
fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let mut word = [0_u8; 4];
        word[1..=three.len()].copy_from_slice(three);
        let word = u32::from_be_bytes(word);
        for place in 0..=three.len() {
            text.push(char::from(DIGITS[(word >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn query(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let found = url.query_pairs().find(|(key, _)| key == name);
    found
        .unwrap_or_else(|| panic!("{name} is in {url}"))
        .1
        .into_owned()
}

/// Numbers of the checks, with what failed marked.
fn checks(flow: &TraceFlowView) -> Vec<String> {
    let checks = flow
        .steps
        .iter()
        .filter(|step| step.kind == TraceStep::Check);
    checks
        .map(|step| {
            let mark = if step.outcome == TraceOutcome::Passed {
                ""
            } else {
                "!"
            };
            format!("{mark}{}", step.number.as_deref().unwrap())
        })
        .collect()
}

fn flow(trace: &TraceView, kind: TraceKind) -> &TraceFlowView {
    let mut flows = trace.flows.iter().rev();
    flows.find(|flow| flow.kind == kind).unwrap()
}

fn paths(flow: &TraceFlowView) -> Vec<String> {
    let requests = flow
        .steps
        .iter()
        .filter(|step| step.kind == TraceStep::Request);
    requests
        .map(|step| {
            let url = step.title.split(' ').nth(1).unwrap();
            let path = url::Url::parse(url).unwrap().path().to_owned();
            format!(
                "{} {}",
                step.status.unwrap(),
                path.rsplit('/').next().unwrap()
            )
        })
        .collect()
}

async fn whole_story(setting: &Setting) -> (String, String) {
    setting.engine.trace_switch(true);
    let callback = setting
        .callback_of(setting.patient(), Decision::Approve)
        .await;
    let id = setting.engine.login_finish(&callback).await.unwrap();
    assert!(setting.engine.sync(&id).await.unwrap().complete);
    // The token is refused once, and refreshed.
    let refused = FaultKind::Status {
        status: 401,
        body: String::new(),
        content_type: String::new(),
    };
    setting.mock.fault(Endpoint::Fhir, refused, 1);
    let report = setting.engine.sync(&id).await.unwrap();
    assert!(report.complete, "{report:?}");
    (id, callback)
}

#[tokio::test]
async fn h1_a_trace_and_its_archive_hold_no_secret_and_nobody() {
    let random = Arc::new(Remembering::default());
    let setting = setting_of(Arc::clone(&random) as Arc<dyn Random>).await;
    let (id, callback) = whole_story(&setting).await;
    let name = setting
        .engine
        .connection(&id)
        .await
        .unwrap()
        .patient_name
        .unwrap();
    let patient = setting.patient();

    let mut hidden = setting.mock.tokens();
    assert!(hidden.len() >= 4, "two access and two refresh tokens");
    hidden.push(query(&callback, "code"));
    hidden.push(query(&callback, "state"));
    hidden.push(patient.password.clone());
    hidden.extend(patient.patient_ids.iter().cloned());
    hidden.extend(
        name.split(' ')
            .filter(|word| word.len() > 3)
            .map(str::to_owned),
    );
    let made = random.0.lock().unwrap().clone();
    assert!(made.iter().filter(|bytes| bytes.len() == 32).count() >= 3);
    for bytes in made.iter().filter(|bytes| bytes.len() >= 16) {
        hidden.extend([base64url(bytes), hex(bytes)]);
    }
    for client in setting.mock.clients() {
        for member in ["client_secret", "registration_access_token"] {
            hidden.extend(client[member].as_str().map(str::to_owned));
        }
    }
    // No JSON Web Token stands there as it was sent.
    hidden.push("eyJ".to_owned());

    let trace = setting.engine.trace();
    let shown = serde_json::to_string(&trace).unwrap();
    let archive = setting.engine.trace_har();
    for (where_, text) in [
        ("trace", &shown),
        ("archive", &archive),
        ("debug", &format!("{trace:?}")),
    ] {
        let lower = text.to_lowercase();
        for secret in hidden.iter().filter(|secret| !secret.is_empty()) {
            let found = lower.find(&secret.to_lowercase());
            let around = found.map(|at| &lower[at.saturating_sub(80)..(at + 80).min(lower.len())]);
            assert_eq!(around, None, "{secret} is in the {where_}");
        }
    }
    // It tells something all the same: what was asked, what came, decoded tokens, equal names.
    for told in [
        "authorization_code",
        "/Patient/hidden-",
        "ES384",
        "resourceType",
    ] {
        assert!(shown.contains(told), "{told} is not in {shown}");
    }
    let back = flow(&trace, TraceKind::SignInEnd);
    let code = |kind: TraceStep| {
        let steps = back.steps.iter().filter(|step| step.kind == kind);
        let fields = steps
            .flat_map(|step| &step.parts)
            .flat_map(|part| &part.fields);
        fields
            .filter(|field| field.label == "code")
            .map(|field| field.value.clone())
            .next()
    };
    assert!(code(TraceStep::Request).unwrap().starts_with("hidden-"));
    assert_eq!(code(TraceStep::BrowserCameBack), code(TraceStep::Request));
}

#[tokio::test]
async fn each_request_and_check_of_a_sign_in_a_refresh_and_a_sync_is_there_in_order() {
    let setting = setting().await;
    whole_story(&setting).await;
    let trace = setting.engine.trace();
    let kinds: Vec<TraceKind> = trace.flows.iter().map(|flow| flow.kind).collect();
    let wanted = [
        TraceKind::SignIn,
        TraceKind::SignInEnd,
        TraceKind::Sync,
        TraceKind::Sync,
    ];
    assert_eq!(kinds, wanted);

    let there = &trace.flows[0];
    assert_eq!(
        paths(there),
        [
            "200 smart-configuration",
            "200 openid-configuration",
            "201 register"
        ]
    );
    assert_eq!(
        checks(there),
        ["A8", "A19", "A20", "A6", "B18", "B19", "B21"]
    );
    assert_eq!(there.steps.last().unwrap().kind, TraceStep::BrowserLeft);

    let back = &trace.flows[1];
    assert_eq!(back.steps[0].kind, TraceStep::BrowserCameBack);
    assert_eq!(paths(back), ["200 token", "200 jwks"]);
    let accepted = ["C4", "C31", "C33", "C4", "C4", "C34", "C36"];
    let traded = [
        "D11", "D30", "D31", "D30", "D30", "D30", "D30", "D30", "D30", "D12",
    ];
    assert_eq!(checks(back), [&accepted[..], &traded[..]].concat());
    assert!(back.ended_at.is_some() && back.problem.is_none());

    let refreshed = &trace.flows[3];
    let steps: Vec<&str> = refreshed
        .steps
        .iter()
        .map(|step| step.title.as_str())
        .collect();
    let at = |part: &str| steps.iter().position(|step| step.contains(part));
    let refused = refreshed
        .steps
        .iter()
        .position(|step| step.status == Some(401))
        .unwrap();
    let token = at("POST ").unwrap();
    assert!(
        refused < token,
        "the refresh belongs to the sync that needed it: {steps:?}"
    );
    assert!(
        checks(refreshed).contains(&"D21".to_owned()),
        "{:?}",
        checks(refreshed)
    );
}

#[tokio::test]
async fn the_check_that_failed_is_the_last_one_and_the_problem_is_named() {
    let setting = setting().await;
    setting.engine.trace_switch(true);
    let id_token = |fault| (Endpoint::Token, FaultKind::IdToken(fault));
    for ((endpoint, fault), number, says, problem) in [
        (
            (Endpoint::Authorize, FaultKind::WrongIss),
            "C34",
            "issuer",
            "login.wrong_issuer",
        ),
        (
            (Endpoint::Authorize, FaultKind::MissingIss),
            "C34",
            "issuer",
            "login.wrong_issuer",
        ),
        (
            id_token(IdTokenFault::WrongAudience),
            "D30",
            "aud",
            "login.id_token",
        ),
        (
            id_token(IdTokenFault::WrongIssuer),
            "D30",
            "iss",
            "login.id_token",
        ),
        (
            id_token(IdTokenFault::WrongNonce),
            "D30",
            "nonce",
            "login.id_token",
        ),
        (
            id_token(IdTokenFault::AlgNone),
            "D30",
            "accepted way",
            "login.id_token",
        ),
        (
            id_token(IdTokenFault::Expired),
            "D30",
            "expired",
            "login.id_token",
        ),
        (
            id_token(IdTokenFault::UnknownKey),
            "D31",
            "key",
            "login.id_token",
        ),
        (
            id_token(IdTokenFault::WrongSignature),
            "D30",
            "signature",
            "login.id_token",
        ),
    ] {
        setting.mock.fault(endpoint, fault.clone(), 1);
        assert_eq!(setting.failed_login().await, problem, "{fault:?}");
        let trace = setting.engine.trace();
        let failed = flow(&trace, TraceKind::SignInEnd);
        let marks = checks(failed);
        assert_eq!(
            marks.last().unwrap(),
            &format!("!{number}"),
            "{fault:?}: {marks:?}"
        );
        assert_eq!(
            marks.iter().filter(|mark| mark.starts_with('!')).count(),
            1,
            "{marks:?}"
        );
        let last = failed
            .steps
            .iter()
            .rfind(|step| step.kind == TraceStep::Check)
            .unwrap();
        assert!(
            last.title.to_lowercase().contains(says),
            "{fault:?}: {}",
            last.title
        );
        let ended = failed.problem.as_ref().unwrap();
        assert_eq!((ended.code.as_str(), &ended.detail), (problem, &None));
    }
}

#[tokio::test]
async fn a_code_of_nobody_and_a_server_that_says_who_it_is_not_are_traced() {
    let setting = setting().await;
    setting.engine.trace_switch(true);
    let stranger = "org.satchel.app:/callback/x?code=a&state=b";
    setting.engine.login_finish(stranger).await.unwrap_err();
    let trace = setting.engine.trace();
    assert_eq!(checks(flow(&trace, TraceKind::SignInEnd)), ["!C4"]);
    setting
        .mock
        .fault(Endpoint::OpenIdConfiguration, FaultKind::OtherIssuer, 1);
    setting
        .engine
        .server_check(setting.mock.fhir_base())
        .await
        .unwrap_err();
    let trace = setting.engine.trace();
    assert_eq!(checks(flow(&trace, TraceKind::ServerCheck)), ["A8", "!A19"]);
}

#[tokio::test]
async fn nothing_is_traced_until_it_is_wanted_and_the_last_pieces_are_kept() {
    let setting = setting().await;
    let base = setting.mock.fhir_base();
    setting.engine.server_check(base).await.unwrap();
    assert!(setting.engine.trace().flows.is_empty());
    setting.engine.trace_switch(true);
    for _ in 0..45 {
        setting.engine.server_check(base).await.unwrap();
    }
    let trace = setting.engine.trace();
    assert!(trace.on);
    assert_eq!(trace.flows.len(), 40);
    assert_eq!(trace.flows.last().unwrap().id, "45");
    setting.engine.trace_clear();
    setting.engine.trace_switch(false);
    setting.engine.server_check(base).await.unwrap();
    assert!(setting.engine.trace().flows.is_empty());
}

#[tokio::test]
async fn the_archive_has_what_har_1_2_requires_and_only_its_owner_reads_the_file() {
    let setting = setting().await;
    whole_story(&setting).await;
    let folder = tempfile::tempdir().unwrap();
    let file = setting
        .engine
        .trace_export_into(&folder.path().join("new"))
        .await
        .unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o077,
            0
        );
    }
    let har: serde_json::Value = serde_json::from_str(&text).unwrap();
    let log = &har["log"];
    assert_eq!(log["version"], "1.2");
    assert!(log["creator"]["name"].is_string() && log["creator"]["version"].is_string());
    let pages: Vec<&str> = log["pages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["id"].as_str().unwrap())
        .collect();
    assert_eq!(pages.len(), 4);
    let entries = log["entries"].as_array().unwrap();
    assert!(entries.len() > 20);
    let mut checks = 0;
    for entry in entries {
        assert!(pages.contains(&entry["pageref"].as_str().unwrap()));
        assert!(entry["startedDateTime"].as_str().unwrap().ends_with('Z'));
        assert!(entry["time"].is_i64() && entry["cache"].is_object());
        for part in ["send", "wait", "receive"] {
            assert!(entry["timings"][part].is_i64());
        }
        let (request, response) = (&entry["request"], &entry["response"]);
        for text in [
            &request["method"],
            &request["httpVersion"],
            &response["statusText"],
            &response["httpVersion"],
            &response["redirectURL"],
        ] {
            assert!(text.is_string(), "{entry}");
        }
        url::Url::parse(request["url"].as_str().unwrap()).unwrap();
        for list in [
            &request["cookies"],
            &request["headers"],
            &request["queryString"],
            &response["cookies"],
            &response["headers"],
        ] {
            for pair in list.as_array().unwrap() {
                assert!(pair["name"].is_string() && pair["value"].is_string());
            }
        }
        for size in [
            &request["headersSize"],
            &request["bodySize"],
            &response["headersSize"],
            &response["bodySize"],
            &response["status"],
            &response["content"]["size"],
        ] {
            assert!(size.is_i64(), "{entry}");
        }
        assert!(response["content"]["mimeType"].is_string());
        if let Some(posted) = request.get("postData") {
            assert!(posted["mimeType"].is_string());
            assert!(
                posted["params"].is_array() != posted["text"].is_string(),
                "{posted}"
            );
        }
        checks += entry["_checks"].as_array().unwrap().len();
    }
    let shown: usize = setting
        .engine
        .trace()
        .flows
        .iter()
        .map(|flow| self::checks(flow).len())
        .sum();
    assert_eq!(checks, shown, "each check is in the archive too");
}
