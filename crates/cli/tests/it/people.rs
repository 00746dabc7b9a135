//! One person at two servers, on the command line.

use crate::portal::Decision;
use crate::shell::Shell;
use satchel_mock::{MockServer, World};
use serde_json::Value;

/// The same synthetic person at two servers; gives the two connections.
async fn at_two_servers() -> (Shell, [String; 2]) {
    let mut shell = Shell::new().await;
    shell.connect(&[], Decision::Approve).await.ok();
    shell.mock = MockServer::start(World {
        patients: 2,
        ..World::default()
    })
    .await
    .unwrap();
    shell.connect(&[], Decision::Approve).await.ok();
    let all = shell.run(&["connections", "--json"]).await.ok().json();
    let id = |at: usize| all[at]["id"].as_str().unwrap().to_owned();
    let ids = [id(0), id(1)];
    (shell, ids)
}

async fn json(shell: &Shell, arguments: &[&str]) -> Value {
    let mut arguments = arguments.to_vec();
    arguments.push("--json");
    shell.run(&arguments).await.ok().json()
}

#[tokio::test]
async fn two_connections_are_put_together_listed_as_one_and_split() {
    let (shell, [one, other]) = at_two_servers().await;
    let people = json(&shell, &["people"]).await;
    assert_eq!(people["people"], serde_json::json!([]));
    assert_eq!(people["suggested"][0]["one"]["connectionId"], *one);
    let said = shell.run(&["people"]).await.ok().stdout;
    assert!(said.contains("Perhaps the same person"), "{said}");

    let person = json(&shell, &["people", "join", &one, &other]).await;
    let person = person["id"].as_str().unwrap();
    let alone = json(
        &shell,
        &["list", "--type", "Condition", "--connection", &one],
    )
    .await;
    let both = json(&shell, &["list", "--type", "Condition", "--person", person]).await;
    assert!(both["total"].as_u64().unwrap() < 2 * alone["total"].as_u64().unwrap());
    let rows = both["rows"].as_array().unwrap();
    let grouped = rows.iter().find(|row| row["alsoFrom"][0].is_object());
    let key = &grouped.unwrap()["key"];
    let name = format!("Condition/{}", key["id"].as_str().unwrap());
    let lines = shell
        .run(&["list", "--type", "Condition", "--person", &person[..8]])
        .await
        .ok()
        .stdout;
    assert!(lines.contains("also from"), "{lines}");
    let chart = shell.run(&["people", "chart", person]).await.ok().stdout;
    assert!(chart.contains("Problems\t"), "{chart}");

    let several = shell.run(&["show", &name]).await;
    assert_eq!(several.code, 101, "both servers have it: {several:?}");
    let from = ["--connection", &one];
    let shown = shell
        .run(&[&["show", &name][..], &from].concat())
        .await
        .ok();
    assert!(shown.stdout.contains("Also from: "), "{}", shown.stdout);

    let apart = [&["apart", &name][..], &from].concat();
    let apart = json(&shell, &apart).await;
    assert_eq!(apart["same"], serde_json::json!([]));
    assert_eq!(apart["apart"][0]["key"]["connectionId"], *other);
    let now = json(&shell, &["list", "--type", "Condition", "--person", person]).await;
    assert_eq!(
        now["total"].as_u64(),
        both["total"].as_u64().map(|total| total + 1)
    );
    let together = [&["together", &name][..], &from].concat();
    let together = json(&shell, &together).await;
    assert_eq!(together["same"].as_array().unwrap().len(), 2);

    shell.run(&["people", "split", &other]).await.ok();
    let gone = shell.run(&["list", "--person", person]).await;
    assert_ne!(gone.code, 0);
    assert_eq!(
        json(&shell, &["people"]).await["suggested"][0]["refused"],
        true
    );
}
