//! Logos from strangers.

use crate::support::{Server, client};
use satchel_smart::brands::{LogoError, LogoImage, LogoSource, fetch_logo};
use satchel_smart::http::HttpError;
use wiremock::ResponseTemplate;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0000";

fn svg(inside: &str) -> Vec<u8> {
    format!("<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\">{inside}</svg>").into_bytes()
}

#[test]
fn a27_pictures_are_told_by_their_bytes() {
    let kind = |bytes: &[u8]| LogoImage::check(bytes.to_vec()).map(|image| image.media_type);
    assert_eq!(kind(PNG).unwrap(), "image/png");
    assert_eq!(kind(b"\xff\xd8\xff\xe0").unwrap(), "image/jpeg");
    assert_eq!(kind(b"GIF89a").unwrap(), "image/gif");
    assert_eq!(kind(b"RIFF0000WEBPVP8 ").unwrap(), "image/webp");
    assert_eq!(kind(&svg("<path d=\"M0 0\"/>")).unwrap(), "image/svg+xml");
    for bad in [
        &b""[..],
        b"<html><svg></svg></html>",
        b"<!DOCTYPE html><svg>",
        b"hello",
        b"\x00\x01",
        b"{}",
        b"%PDF-1.7",
    ] {
        assert!(matches!(kind(bad), Err(LogoError::NotAPicture)), "{bad:?}");
    }
}

#[test]
fn a27_an_svg_that_could_act_or_load_is_refused() {
    for inside in [
        "<script>alert(1)</script>",
        "<SCRIPT href='#'/>",
        "<svg:script/>",
        "<foreignObject><p/></foreignObject>",
        "<rect onload=\"x()\"/>",
        "<rect title=\">\" onclick='x()'/>",
        "<a href=\"javascript:x()\"/>",
        "<a xlink:href=\"&#x6a;avascript:x()\"/>",
        "<image href=\"https://track.example/p.png\"/>",
        "<image xlink:href='//track.example/p.png'/>",
        "<use href=\"other.svg#a\"/>",
        "<style>@import 'https://x.example/a.css';</style>",
        "<rect style=\"fill:url(https://x.example/a)\"/>",
        "<iframe src=\"#\"/>",
    ] {
        let found = LogoImage::check(svg(inside));
        assert!(
            matches!(found, Err(LogoError::Active(_))),
            "{inside}: {found:?}"
        );
    }
    let entity =
        b"<!DOCTYPE svg [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><svg>&a;</svg>".to_vec();
    assert!(matches!(
        LogoImage::check(entity),
        Err(LogoError::Active(_))
    ));
    for inside in [
        "<defs><linearGradient id=\"g\"/></defs><rect fill=\"url(#g)\"/>",
        "<use href=\"#a\"/>",
        "<image href=\"data:image/png;base64,AAAA\"/>",
    ] {
        assert!(LogoImage::check(svg(inside)).is_ok(), "{inside}");
    }
}

#[tokio::test]
async fn a27_a_logo_is_fetched_of_bounded_size() {
    let server = Server::start().await;
    let answer = |bytes: Vec<u8>| ResponseTemplate::new(200).set_body_raw(bytes, "text/html");
    server.answer("GET", "/good", answer(PNG.to_vec())).await;
    let mut large = PNG.to_vec();
    large.resize(600 * 1024, 0);
    server.answer("GET", "/large", answer(large)).await;
    server
        .answer("GET", "/none", ResponseTemplate::new(404))
        .await;
    let at = |path: &str| LogoSource::parse(server.url(path).as_str()).unwrap();
    let good = fetch_logo(&client(), &at("/good")).await.unwrap();
    assert!(
        good.data_url()
            .starts_with("data:image/png;base64,iVBORw0KGgo")
    );
    let large = fetch_logo(&client(), &at("/large")).await;
    assert!(matches!(
        large,
        Err(LogoError::Http(HttpError::TooLarge { .. }))
    ));
    assert!(matches!(
        fetch_logo(&client(), &at("/none")).await,
        Err(LogoError::Http(_))
    ));
}

#[tokio::test]
async fn a27_a_logo_may_stand_in_the_bundle_itself() {
    for text in [
        "data:image/png;base64,iVBORw0KGgowMDAw",
        "data:image/png;base64,iVBORw0K%47gowMDA=",
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E",
    ] {
        let source = LogoSource::parse(text).unwrap();
        assert!(fetch_logo(&client(), &source).await.is_ok(), "{text}");
    }
    for text in [
        "data:text/html,<script>",
        "data:image/png;base64,!!!",
        "data:,",
        "data:image/svg+xml,%3Csvg%3E%3Cscript/%3E",
    ] {
        let source = LogoSource::parse(text).unwrap();
        assert!(fetch_logo(&client(), &source).await.is_err(), "{text}");
    }
    assert_eq!(
        LogoSource::parse(&format!("data:image/png,{}", "x".repeat(2_000_000))),
        None
    );
    assert_eq!(LogoSource::parse("ftp://x.example/l.png"), None);
}
