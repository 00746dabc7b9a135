//! Odd resources in XML.

use super::*;
use rstest::rstest;

/// The document without its first line and the namespace of the root.
fn written(json: &str) -> String {
    let document = document(json).unwrap();
    let mut reader = Reader::from_str(&document);
    while !matches!(reader.read_event().unwrap(), Event::Eof) {}
    let rest = document.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    rest.unwrap()
        .replacen(" xmlns=\"http://hl7.org/fhir\"", "", 1)
}

#[rstest]
#[case::numbers_as_written(
    r#"{"resourceType":"Basic","a":1.10,"b":true,"c":-1e400}"#,
    r#"<Basic><a value="1.10"/><b value="true"/><c value="-1e400"/></Basic>"#
)]
#[case::order(
    r#"{"b":"1","text":{"status":"empty"},"a":"2","meta":{"versionId":"3"},"id":"4","resourceType":"Basic"}"#,
    r#"<Basic><id value="4"/><meta><versionId value="3"/></meta><text><status value="empty"/></text><b value="1"/><a value="2"/></Basic>"#
)]
#[case::siblings(
    r#"{"resourceType":"Patient","birthDate":"1970","_birthDate":{"id":"b","extension":[{"url":"u","valueCode":"x"}]}}"#,
    r#"<Patient><birthDate id="b" value="1970"><extension url="u"><valueCode value="x"/></extension></birthDate></Patient>"#
)]
#[case::a_sibling_alone(
    r#"{"resourceType":"Patient","_birthDate":{"extension":[{"url":"u","valueCode":"unknown"}]}}"#,
    r#"<Patient><birthDate><extension url="u"><valueCode value="unknown"/></extension></birthDate></Patient>"#
)]
#[case::nulls_in_lists(
    r#"{"resourceType":"Patient","name":[{"given":["A",null,"C"],"_given":[null,{"id":"2"}]}]}"#,
    r#"<Patient><name><given value="A"/><given id="2"/><given value="C"/></name></Patient>"#
)]
#[case::siblings_of_a_list_alone(
    r#"{"resourceType":"Patient","_given":[{"id":"1"},null,{"id":"3"}]}"#,
    r#"<Patient><given id="1"/><given id="3"/></Patient>"#
)]
#[case::ids_of_elements_and_urls(
    r#"{"resourceType":"Patient","name":[{"id":"n","family":"F"}],"photo":[{"url":"http://x"}],"extension":[{"id":"e","url":"u","extension":[{"url":"v"}]}]}"#,
    r#"<Patient><extension id="e" url="u"><extension url="v"></extension></extension><name id="n"><family value="F"/></name><photo><url value="http://x"/></photo></Patient>"#
)]
#[case::resources_inside(
    r##"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Basic","id":"1","contained":[{"resourceType":"Medication","id":"m"}]},"response":{"outcome":{"resourceType":"OperationOutcome"}}}]}"##,
    r#"<Bundle><entry><resource><Basic><id value="1"/><contained><Medication><id value="m"/></Medication></contained></Basic></resource><response><outcome><OperationOutcome></OperationOutcome></outcome></response></entry></Bundle>"#
)]
#[case::an_outcome_that_is_no_resource(
    r#"{"resourceType":"AdverseEvent","outcome":{"text":"fine"}}"#,
    r#"<AdverseEvent><outcome><text value="fine"/></outcome></AdverseEvent>"#
)]
#[case::a_resource_that_is_none(
    r#"{"resourceType":"Bundle","entry":[{"resource":"none"},{"resource":{"a":"b"}}]}"#,
    r#"<Bundle><entry><resource value="none"/></entry><entry><resource><a value="b"/></resource></entry></Bundle>"#
)]
#[case::letters(
    r#"{"resourceType":"Basic","a":"<&>\"'\t\n\r\u0000\u0001\ufffeü😀"}"#,
    "<Basic><a value=\"&lt;&amp;&gt;&quot;'&#9;&#10;&#13;\u{fffd}\u{fffd}\u{fffd}ü😀\"/></Basic>"
)]
#[case::names_that_are_none(
    r#"{"resourceType":"Basic","a b":"1","c><d":"2","_":{"id":"3"},"":"4","ok":"5"}"#,
    r#"<Basic><ok value="5"/></Basic>"#
)]
fn a_resource_is_written_as_the_standard_says(#[case] json: &str, #[case] xml: &str) {
    assert_eq!(written(json), xml);
}

#[rstest]
#[case::as_it_is(
    "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p class=\"x\">a &amp; b<br/></p></div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p class=\"x\">a &amp; b<br/></p></div>"
)]
#[case::without_a_namespace("<div>a</div>", "<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>")]
#[case::with_a_blank_of_html(
    "<div>a&nbsp;b</div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\">a&#160;b</div>"
)]
#[case::never_closed(
    "<div><p>a</div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\">&lt;div&gt;&lt;p&gt;a&lt;/div&gt;</div>"
)]
#[case::text("a < b", "<div xmlns=\"http://www.w3.org/1999/xhtml\">a &lt; b</div>")]
fn a_narrative_is_xhtml(#[case] div: &str, #[case] expected: &str) {
    let json = serde_json::json!({"resourceType": "Basic", "text": {"div": div}});
    let expected = format!("<Basic><text>{expected}</text></Basic>");
    assert_eq!(written(&json.to_string()), expected);
}

#[rstest]
#[case("<p>a</p>")]
#[case("<div/><div/>")]
#[case("<div/>text")]
#[case("text<div/>")]
#[case("<div>&eacute;</div>")]
#[case("<div>&#1;</div>")]
#[case("<div>\u{1}</div>")]
#[case("<div a='1' a='2'/>")]
#[case("<div a='<'/>")]
#[case("<div><v:shape/></div>")]
#[case("<div><!-- a -- b --></div>")]
#[case("<!DOCTYPE div [<!ENTITY a 'b'>]><div>&a;</div>")]
#[case("<div><?php ?></div>")]
#[case("</div>")]
#[case("<div>")]
#[case("")]
fn a_narrative_that_would_spoil_the_document_is_text(#[case] div: &str) {
    let json = serde_json::json!({"resourceType": "Basic", "text": {"div": div}});
    let document = written(&json.to_string());
    let begin = "<Basic><text><div xmlns=\"http://www.w3.org/1999/xhtml\">";
    let inside = document.strip_prefix(begin).unwrap();
    let inside = inside.strip_suffix("</div></text></Basic>").unwrap();
    assert!(!inside.contains('<'), "{document}");
}

#[test]
fn what_is_no_resource_is_not_written() {
    for json in [
        "",
        "[]",
        "{}",
        r#"{"resourceType":"a b"}"#,
        r#"{"resourceType":1}"#,
    ] {
        assert_eq!(document(json), None, "{json}");
    }
}

/// Every primitive value, those of narratives and the types apart.
fn leaves(name: &str, node: &Node, found: &mut Vec<String>) {
    match node {
        Node::Null => {}
        Node::Literal(text) | Node::Text(text) => {
            if name != "resourceType" && name != "div" {
                found.push(text.clone());
            }
        }
        Node::List(items) => items.iter().for_each(|item| leaves(name, item, found)),
        Node::Object(members) => {
            let each = members.iter();
            each.for_each(|(name, value)| leaves(name, value, found));
        }
    }
}

/// Every attribute, narratives and namespaces apart.
fn attributes(document: &str) -> Vec<String> {
    let mut reader = Reader::from_str(document);
    let (mut found, mut inside) = (Vec::new(), 0);
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return found,
            Event::End(tag) if tag.name().as_ref() == "div" => inside -= 1,
            Event::Start(tag) if tag.name().as_ref() == "div" => inside += 1,
            Event::Start(tag) | Event::Empty(tag) if inside == 0 => {
                for one in tag.attributes() {
                    let one = one.unwrap();
                    if one.key.as_ref() != "xmlns" {
                        let value = one.normalized_value(XmlVersion::Implicit1_0).unwrap();
                        found.push(value.into_owned());
                    }
                }
            }
            _ => {}
        }
    }
}

#[test]
fn every_value_of_the_us_core_examples_is_in_their_xml() {
    let folder = std::env::var_os("SATCHEL_SHARED_DATA").map_or_else(
        || std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        std::path::PathBuf::from,
    );
    let mut folder = folder.join("us-core");
    if !folder.is_dir() {
        // A worktree stands one folder deeper.
        folder = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../../../shared/data/us-core");
    }
    if !folder.is_dir() {
        println!("no shared data here: skipped");
        return;
    }
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let json = std::fs::read_to_string(&path).unwrap();
        let document = document(&json).unwrap();
        let mut expected = Vec::new();
        leaves("", &Node::parse(&json).unwrap(), &mut expected);
        let mut given = attributes(&document);
        expected.sort();
        given.sort();
        assert_eq!(given, expected, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 90, "{seen}");
}
