//! The program `satchel-mock`, as scripts start it.

use reqwest::{Certificate, Client};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

struct Program {
    child: Child,
    ready: Value,
    rest: BufReader<std::process::ChildStdout>,
}

fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_satchel-mock"))
}

fn start(arguments: &[&str]) -> Program {
    let mut child = command()
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut rest = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    rest.read_line(&mut line).unwrap();
    let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line:?}"));
    Program { child, ready, rest }
}

impl Program {
    fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn counts(program: &Program) -> Value {
    let url = format!("{}/counts", program.text("control"));
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn one_line_of_json_says_where_everything_is() {
    let mut program = start(&["--patients", "2"]);
    assert!(program.text("fhir_base").starts_with("http://127.0.0.1:"));
    assert!(program.text("fhir_base").ends_with("/fhir"));
    assert!(
        program
            .text("fhir_base")
            .starts_with(program.text("issuer"))
    );
    let accounts = program.ready["accounts"].as_array().unwrap();
    for account in accounts {
        for name in ["username", "password", "role"] {
            assert!(account[name].is_string(), "{account}");
        }
        assert!(account["patient_ids"].is_array());
    }
    let roles: Vec<&Value> = accounts.iter().map(|account| &account["role"]).collect();
    assert_eq!(
        roles,
        ["patient", "patient", "administrator", "staff", "provider"]
    );
    assert_eq!(counts(&program).await["Patient"], 2);
    program.child.kill().unwrap();
    let mut more = String::new();
    program.rest.read_to_string(&mut more).unwrap();
    assert_eq!(more, "", "one line, no more");
}

#[tokio::test]
async fn the_same_seed_makes_the_same_people_and_another_seed_others() {
    let mut seen = Vec::new();
    for seed in ["7", "7", "8"] {
        let program = start(&["--patients", "3", "--seed", seed]);
        seen.push((program.ready["accounts"].clone(), counts(&program).await));
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0], seen[2]);
}

#[tokio::test]
async fn a_folder_of_bundles_and_ndjson_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let patient = json!({"resourceType": "Patient", "id": "p", "name": [{"family": "Loaded"}]});
    let bundle =
        json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]});
    write("bundle.json", &bundle.to_string());
    let line = |id: &str| {
        json!({"resourceType": "Condition", "id": id, "subject": {"reference": "Patient/p"}})
            .to_string()
    };
    write(
        "conditions.ndjson",
        &format!("{}\n\n{}\n", line("a"), line("b")),
    );
    write("notes.txt", "not FHIR");
    let program = start(&["--load", folder.path().to_str().unwrap()]);
    assert_eq!(
        counts(&program).await,
        json!({"Patient": 1, "Condition": 2})
    );
    let own = &program.ready["accounts"][0];
    assert_eq!(
        (&own["role"], &own["patient_ids"]),
        (&json!("patient"), &json!(["p"]))
    );
}

#[tokio::test]
async fn a9_with_tls_the_server_is_reached_by_those_who_trust_its_authority_only() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("ca.pem");
    let program = start(&[
        "--patients",
        "1",
        "--tls",
        "--ca-out",
        certificate.to_str().unwrap(),
    ]);
    assert!(program.text("fhir_base").starts_with("https://"));
    assert_eq!(Path::new(program.text("ca_certificate")), certificate);
    let url = format!("{}/metadata", program.text("fhir_base"));
    assert!(
        Client::new().get(&url).send().await.is_err(),
        "nobody vouches for it"
    );
    let pem = std::fs::read(&certificate).unwrap();
    let trusting = Client::builder()
        .tls_certs_merge([Certificate::from_pem(&pem).unwrap()])
        .build()
        .unwrap();
    assert_eq!(trusting.get(&url).send().await.unwrap().status(), 200);
    let plain = url.replace("https://", "http://");
    let answer = Client::new().get(plain).send().await;
    assert!(
        answer.is_err() || !answer.unwrap().status().is_success(),
        "no plain HTTP"
    );
    let listed = std::fs::read_to_string(&certificate).unwrap();
    assert!(!listed.contains("PRIVATE KEY"));
}

#[test]
fn wrong_arguments_get_a_sentence_and_exit_code_2() {
    for arguments in [
        &["--patients", "many"][..],
        &["--ca-out", "x.pem"],
        &["--unknown"],
        &["--port", "99999"],
    ] {
        let output = command().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("error:"), "{said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn what_cannot_be_loaded_or_listened_on_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, said) in [
        (
            vec!["--port", &port, "--patients", "1"],
            "cannot listen on 127.0.0.1",
        ),
        (
            vec!["--load", "/nowhere/at/all"],
            "cannot read /nowhere/at/all",
        ),
    ] {
        let output = command().args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(said), "{text}");
    }
}

#[tokio::test]
async fn a9_a_certificate_can_be_wrong_in_each_way() {
    let folder = tempfile::tempdir().unwrap();
    for fault in ["expired", "wrong-host", "unknown-authority"] {
        let certificate = folder.path().join(format!("{fault}.pem"));
        let file = certificate.to_str().unwrap();
        let program = start(&[
            "--patients",
            "1",
            "--tls",
            "--ca-out",
            file,
            "--tls-fault",
            fault,
        ]);
        let pem = std::fs::read(&certificate).unwrap();
        let trusting = Client::builder()
            .tls_certs_merge([Certificate::from_pem(&pem).unwrap()])
            .build()
            .unwrap();
        let url = format!("{}/metadata", program.text("fhir_base"));
        let refused = trusting.get(&url).send().await.unwrap_err();
        assert!(refused.is_connect(), "{fault}: {refused:?}");
    }
}

#[tokio::test]
async fn a9_two_servers_of_one_program_have_each_its_own_authority() {
    let start = async || {
        let world = satchel_mock::World {
            patients: 1,
            tls: Some(satchel_mock::TlsOptions::default()),
            ..satchel_mock::World::default()
        };
        satchel_mock::MockServer::start(world).await.unwrap()
    };
    let (one, two) = (start().await, start().await);
    for mock in [&one, &two] {
        let pem = std::fs::read(mock.ca_certificate().unwrap()).unwrap();
        let trusting = Client::builder()
            .tls_certs_merge([Certificate::from_pem(&pem).unwrap()])
            .build()
            .unwrap();
        let url = format!("{}/metadata", mock.fhir_base());
        assert_eq!(trusting.get(url).send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn b15_b20_b25_what_the_standards_leave_to_the_server_is_set_by_option() {
    let program = start(&[
        "--patients",
        "1",
        "--secret-lifetime",
        "60",
        "--registration-management",
        "none",
        "--odd-secrets",
    ]);
    let url = format!("{}/auth/register", program.text("issuer"));
    let register = async |url: &str| {
        let metadata = json!({"redirect_uris": ["http://127.0.0.1/cb"]});
        let request = Client::new().post(url).body(metadata.to_string());
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let client = register(&url).await;
    let issued = client["client_id_issued_at"].as_i64().unwrap();
    let ends = client["client_secret_expires_at"].as_i64().unwrap();
    assert!((59..=61).contains(&(ends - issued)), "{client}");
    assert!(client["client_secret"].as_str().unwrap().contains(":+%/ "));
    assert!(client["registration_client_uri"].is_null());
    let program = start(&["--patients", "1", "--software-statement-required"]);
    let url = format!("{}/auth/register", program.text("issuer"));
    assert_eq!(
        register(&url).await["error"],
        "unapproved_software_statement"
    );
    let output = command()
        .args(["--assertion-audience", "anybody"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("token-endpoint, issuer, either"), "{said}");
    let help = command().arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let readme = include_str!("../../README.md");
    let options = help.lines().filter_map(|line| {
        let option = line
            .trim_start()
            .trim_start_matches("-h, ")
            .trim_start_matches("-V, ");
        option.strip_prefix("--")
    });
    for option in options {
        let name = option.split([' ', '=']).next().unwrap();
        let told = readme.contains(&format!("--{name}")) || matches!(name, "help" | "version");
        assert!(told, "--{name} is not in README.md");
    }
}
