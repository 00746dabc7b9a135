//! Registrations, those that hang in the air, and the clients of single installations.

use crate::kit::{Kit, NOW, connection};
use satchel_store::{ClientRow, InstallationRow, LooseRegistrationRow, StoreError};

fn client(fhir_base: &str, key_name: &str) -> ClientRow {
    ClientRow {
        fhir_base: fhir_base.to_owned(),
        role: "patient".to_owned(),
        client_id: "the-same-for-all".to_owned(),
        auth_method: "private_key_jwt".to_owned(),
        redirect_uris: vec!["org.satchel.app:/callback/abc".to_owned()],
        key_name: Some(key_name.to_owned()),
        created_at: NOW.to_owned(),
        ..ClientRow::default()
    }
}

fn loose(key_name: &str) -> LooseRegistrationRow {
    LooseRegistrationRow {
        key_name: key_name.to_owned(),
        fhir_base: "https://a.example/fhir".to_owned(),
        role: "patient".to_owned(),
        client_id: None,
        state: "asking".to_owned(),
        since: NOW.to_owned(),
    }
}

#[tokio::test]
async fn b22_two_servers_that_give_the_same_client_id_are_two_registrations() {
    let kit = Kit::new().await;
    let (a, mut b) = (
        client("https://a.example/fhir", "key-a"),
        client("https://b.example/fhir", "key-b"),
    );
    b.is_static = true;
    b.registered = Some("{}".to_owned());
    b.unmanaged = Some(403);
    b.rotation = Some("1".to_owned());
    b.secret_since = Some(NOW.to_owned());
    for row in [&a, &b] {
        kit.store.registration_put(row).await.unwrap();
    }
    for row in [&a, &b] {
        let read = kit.store.registration_get(&row.fhir_base, "patient").await;
        assert_eq!(read.unwrap().as_ref(), Some(row));
    }
    kit.store
        .registration_delete(&a.fhir_base, "patient", None)
        .await
        .unwrap();
    assert_eq!(kit.store.registrations_list().await.unwrap(), [b]);
}

#[tokio::test]
async fn b23_a_registration_stops_hanging_in_the_air_when_it_is_kept() {
    let kit = Kit::new().await;
    for name in ["key-a", "key-b"] {
        kit.store.loose_put(&loose(name)).await.unwrap();
    }
    let kept = client("https://a.example/fhir", "key-a");
    kit.store.registration_put(&kept).await.unwrap();
    assert_eq!(kit.store.loose_list().await.unwrap(), [loose("key-b")]);
    kit.store.loose_delete("key-b").await.unwrap();
    let mut unwanted = loose("key-a");
    "unwanted".clone_into(&mut unwanted.state);
    kit.store
        .registration_delete(&kept.fhir_base, "patient", Some(&unwanted))
        .await
        .unwrap();
    assert_eq!(kit.store.loose_list().await.unwrap(), [unwanted]);
    assert!(kit.store.registrations_list().await.unwrap().is_empty());
}

#[tokio::test]
async fn b40_an_installations_client_belongs_to_one_connection_and_goes_with_it() {
    let kit = Kit::new().await;
    kit.store
        .connection_insert(&connection("bo"))
        .await
        .unwrap();
    let row = InstallationRow {
        client_id: Some("dynamic-1".to_owned()),
        key_name: Some("key".to_owned()),
        key_alg: Some("RS384".to_owned()),
        problem_code: None,
        created_at: NOW.to_owned(),
    };
    kit.store.installation_put("ana", &row).await.unwrap();
    assert_eq!(
        kit.store.installation_get("ana").await.unwrap().as_ref(),
        Some(&row)
    );
    assert_eq!(kit.store.installation_get("bo").await.unwrap(), None);
    kit.store.connection_remove("ana").await.unwrap();
    assert_eq!(kit.store.installation_get("ana").await.unwrap(), None);
    let nobody = kit.store.installation_put("nobody", &row).await;
    assert!(matches!(nobody, Err(StoreError::StateChanged)));
}
