use super::read;
use crate::view::{NarrativeCell, NarrativeNode, NarrativeStyle};
use proptest::prelude::*;

fn document(inside: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3">{inside}</ClinicalDocument>"#
    )
}

fn sections(inside: &str) -> String {
    document(&format!(
        "<component><structuredBody>{inside}</structuredBody></component>"
    ))
}

/// What a section with this text is read as.
fn narrative(text: &str) -> Vec<NarrativeNode> {
    let read = read(&sections(&format!(
        "<component><section><text>{text}</text></section></component>"
    )));
    read.unwrap().sections.remove(0).content
}

fn text(text: &str) -> NarrativeNode {
    NarrativeNode::Text {
        text: text.to_owned(),
    }
}

/// All of the text in these.
fn words(nodes: &[NarrativeNode]) -> String {
    let cells = |rows: &[Vec<NarrativeCell>]| -> String {
        let cells = rows.iter().flatten();
        cells.map(|cell| words(&cell.children)).collect()
    };
    let parts = nodes.iter().map(|node| match node {
        NarrativeNode::Text { text } => text.clone(),
        NarrativeNode::Break => "\n".to_owned(),
        NarrativeNode::Styled { children, .. }
        | NarrativeNode::Paragraph { children }
        | NarrativeNode::Group { children } => words(children),
        NarrativeNode::List { caption, items, .. } => {
            words(caption) + &items.iter().map(|item| words(item)).collect::<String>()
        }
        NarrativeNode::Table {
            caption,
            head,
            body,
        } => words(caption) + &cells(head) + &cells(body),
        NarrativeNode::Media { caption } => words(caption),
    });
    parts.collect()
}

#[test]
fn a_document_says_who_wrote_it_about_whom_and_what_its_sections_are() {
    let read = read(&document(
        r#"<title>Discharge  summary</title><effectiveTime value="20261120150400.000-0600"/>
        <recordTarget><patientRole><patient><name use="L"><given>Ada</given><given>Marie</given><family>Lindqvist</family></name></patient></patientRole></recordTarget>
        <author><assignedAuthor><assignedPerson><name><prefix>Dr.</prefix><given>Samuel</given> <family>Okafor</family></name></assignedPerson></assignedAuthor></author>
        <author><assignedAuthor><assignedAuthoringDevice><softwareName>Recorder 3</softwareName></assignedAuthoringDevice></assignedAuthor></author>
        <author nullFlavor="UNK"/>
        <custodian><assignedCustodian><representedCustodianOrganization><name>Lakeside Clinic</name></representedCustodianOrganization></assignedCustodian></custodian>
        <component><structuredBody>
          <component><section><title>Assessment</title><text>Well.</text>
            <component><section><title>Plan</title><text>Rest.</text></section></component></section></component>
          <component><section><code code="48765-2" displayName="Allergies"/><text>Penicillin</text><entry><act><code/><text>not for people</text></act></entry></section></component>
          <component><section nullFlavor="NI"><title>Results</title><text/></section></component>
          <component><section nullFlavor="MSK"><title>Notes</title></section></component>
        </structuredBody></component>"#,
    ))
    .unwrap();
    assert_eq!(read.title.as_deref(), Some("Discharge summary"));
    assert_eq!(read.date.as_deref(), Some("2026-11-20T15:04:00-06:00"));
    assert_eq!(read.patient.as_deref(), Some("Ada Marie Lindqvist"));
    assert_eq!(read.authors, ["Dr. Samuel Okafor", "Recorder 3"]);
    assert_eq!(read.custodian.as_deref(), Some("Lakeside Clinic"));
    let titles: Vec<_> = read
        .sections
        .iter()
        .map(|one| one.title.as_deref())
        .collect();
    assert_eq!(
        titles,
        [
            Some("Assessment"),
            Some("Allergies"),
            Some("Results"),
            Some("Notes")
        ]
    );
    assert_eq!(read.sections[0].sections[0].title.as_deref(), Some("Plan"));
    assert_eq!(read.sections[0].sections[0].content, [text("Rest.")]);
    assert_eq!(read.sections[1].content, [text("Penicillin")]);
    assert_eq!(read.sections[2].absent.as_deref(), Some("No information"));
    assert_eq!(read.sections[3].absent.as_deref(), Some("Kept private"));
    assert!(!read.cut);
}

#[test]
fn points_in_time_keep_the_precision_that_they_were_given_with() {
    for (given, read) in [
        ("2026", "2026"),
        ("202611", "2026-11"),
        ("20261120", "2026-11-20"),
        ("2026112015", "2026-11-20"),
        ("202611201504", "2026-11-20T15:04:00"),
        ("20261120150405+0530", "2026-11-20T15:04:05+05:30"),
        ("last week", "last week"),
        ("é", "é"),
        ("", ""),
    ] {
        assert_eq!(super::fhir_date(given), read, "{given}");
    }
}

#[test]
fn tables_keep_their_heads_and_what_a_cell_covers() {
    let read = narrative(
        r#"<table border="1"><caption>Vitals</caption><colgroup><col/></colgroup>
        <thead><tr><th colspan="2">Pressure</th><th rowspan="many">When</th></tr></thead>
        <tfoot><tr><td>Measured sitting</td></tr></tfoot>
        <tbody><tr><th>148</th><td rowspan="2">84</td><td/><td colspan="99999"><list><item>Left arm</item></list></td></tr></tbody></table>"#,
    );
    let [
        NarrativeNode::Table {
            caption,
            head,
            body,
        },
    ] = read.as_slice()
    else {
        panic!("{read:?}");
    };
    assert_eq!(words(caption), "Vitals");
    let covers = |cell: &NarrativeCell| (cell.heading, cell.columns, cell.rows);
    assert_eq!(
        head[0].iter().map(covers).collect::<Vec<_>>(),
        [(true, 2, 1), (true, 1, 1)]
    );
    let cells: Vec<_> = body[0].iter().map(covers).collect();
    assert_eq!(
        cells,
        [(true, 1, 1), (false, 1, 2), (false, 1, 1), (false, 100, 1)]
    );
    assert!(matches!(body[0][3].children[0], NarrativeNode::List { .. }));
    assert_eq!(words(&body[1][0].children), "Measured sitting");
}

#[test]
fn lists_paragraphs_and_styles_keep_their_shape() {
    let read = narrative(
        r#"<paragraph>Take <content styleCode="Bold Italics xRed">one</content> tablet<br/>H<sub>2</sub>O</paragraph>
        <list listType="ordered"><caption>Plan</caption><item>Walk</item><item>Rest<list><item>at night</item></list></item></list>
        <content revised="delete">Old</content>"#,
    );
    let bold = |children| NarrativeNode::Styled {
        style: NarrativeStyle::Bold,
        children,
    };
    assert_eq!(
        read[0],
        NarrativeNode::Paragraph {
            children: vec![
                text("Take "),
                NarrativeNode::Styled {
                    style: NarrativeStyle::Italics,
                    children: vec![bold(vec![text("one")])],
                },
                text(" tablet"),
                NarrativeNode::Break,
                text("H"),
                NarrativeNode::Styled {
                    style: NarrativeStyle::Sub,
                    children: vec![text("2")],
                },
                text("O"),
            ],
        }
    );
    let NarrativeNode::List {
        ordered: true,
        items,
        ..
    } = &read[1]
    else {
        panic!("{read:?}");
    };
    assert_eq!(words(&items[1]), "Restat night");
    let struck = |node: &NarrativeNode| {
        matches!(
            node,
            NarrativeNode::Styled {
                style: NarrativeStyle::Struck,
                ..
            }
        )
    };
    assert!(read.iter().any(struck), "{read:?}");
}

#[test]
fn links_pictures_and_what_is_not_known_become_their_text() {
    let read = narrative(
        r##"See <linkHtml href="javascript:alert(1)">the page</linkHtml><renderMultiMedia referencedObject="m1"><caption>The wound</caption></renderMultiMedia>
        <paragraph onclick="alert(1)"><iframe src="https://evil.example">framed</iframe><h3>Head</h3>line</paragraph><script>alert(2)</script><style>p{}</style>"##,
    );
    assert_eq!(
        words(&read)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
        "See the pageThe wound framed Head line"
    );
    assert!(!format!("{read:?}").contains("alert"));
}

#[test]
fn a_paragraph_with_blocks_in_it_is_a_group() {
    let read = narrative("<paragraph>Before<table><tr><td>x</td></tr></table></paragraph>");
    assert!(matches!(read[0], NarrativeNode::Group { .. }), "{read:?}");
}

#[test]
fn other_xml_is_none_of_these_and_prefixes_and_old_bodies_are_read() {
    let other = "<html xmlns=\"urn:hl7-org:v3\">ClinicalDocument</html>";
    let nowhere = "<ClinicalDocument><title>x</title></ClinicalDocument>";
    for xml in [
        other,
        nowhere,
        "",
        "no ClinicalDocument",
        "<ClinicalDocument xmlns='urn:hl7-org:v3'/>",
    ] {
        assert_eq!(read(xml), None, "{xml}");
    }
    let prefixed = read(
        "<!-- made --><n:ClinicalDocument xmlns:n='urn:hl7-org:v3'><n:title>T</n:title><n:component><n:section/></n:component></n:ClinicalDocument>",
    );
    assert_eq!(prefixed.unwrap().title.as_deref(), Some("T"));
    let body = |attribute: &str| {
        let text = format!(
            "<component><nonXMLBody><text {attribute}>Seen today</text></nonXMLBody></component>"
        );
        read(&document(&text)).unwrap().sections
    };
    assert_eq!(
        body("mediaType='text/plain'")[0].content,
        [text("Seen today")]
    );
    assert_eq!(body("mediaType='application/pdf' representation='B64'"), []);
}

#[test]
fn entities_grow_into_nothing_and_come_from_nowhere() {
    let entities: String = (1..30)
        .map(|at| {
            format!(
                "<!ENTITY a{at} \"{}\">",
                format!("&a{};", at - 1).repeat(10)
            )
        })
        .collect();
    let xml = sections(
        "<component><section><title>T &a29; &x; &amp; &#x41;</title><text>&a29;&x;rest</text></section></component>",
    );
    let evil = xml.replacen(
        "?>",
        &format!("?><!DOCTYPE x [<!ENTITY a0 \"ha\">{entities}<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"),
        1,
    );
    let read = read(&evil).unwrap();
    assert_eq!(read.sections[0].title.as_deref(), Some("T & A"));
    assert_eq!(read.sections[0].content, [text("rest")]);
}

#[test]
fn what_is_too_deep_becomes_text_and_what_is_too_much_is_cut_and_says_so() {
    let deep = "<list><item>".repeat(10_000) + "deepest" + &"</item></list>".repeat(10_000);
    let read_deep = narrative(&deep);
    assert!(words(&read_deep).contains("deepest"));
    let levels = serde_json::to_string(&read_deep).unwrap();
    assert!(levels.matches("\"list\"").count() < 50);

    let many = "<tr><td>x</td></tr>".repeat(500_000);
    let many = sections(&format!(
        "<component><section><title>Results</title><text><table><tbody>{many}</tbody></table></text></section></component>"
    ));
    let read_many = read(&many).unwrap();
    assert!(read_many.cut);
    let shown = words(&read_many.sections[0].content);
    assert!(
        shown.len() > 10_000 && shown.len() < 40_000,
        "{}",
        shown.len()
    );

    let one = "<component><section><title>s</title></section></component>";
    let read_all = read(&sections(&one.repeat(5_000))).unwrap();
    assert!(read_all.cut && read_all.sections.len() == 500);

    let long = narrative(&"word ".repeat(100_000));
    assert_eq!(words(&long).len(), 500_000);
}

#[test]
fn what_is_cut_off_or_broken_is_left_to_its_text() {
    let whole = sections(
        "<component><section><title>T</title><text><paragraph>P</paragraph></text></section></component>",
    );
    assert!(read(&whole).is_some());
    for at in 0..whole.len() {
        assert_eq!(read(&whole[..at]), None, "{at}");
    }
    assert_eq!(read(&whole.replacen("</paragraph>", "</list>", 1)), None);
}

#[test]
fn sections_without_a_body_are_read_and_a_document_without_any_is_left_to_its_text() {
    let bare = document("<component><section><title>T</title><text>P</text></section></component>");
    assert_eq!(read(&bare).unwrap().sections[0].content, [text("P")]);
    assert_eq!(read(&document("<title>T</title>")), None);
}

proptest! {
    #[test]
    fn any_document_is_read_to_its_end(
        inside in "(<(paragraph|list|item|table|tr|td|content styleCode=\"Bold\"|br/|section|component|text|title|entry)>|</(paragraph|list|item|table|tr|td|content|section|component|text|title|entry)>|[a-z &;#]|\\PC){0,60}",
    ) {
        for xml in [document(&inside), sections(&inside)] {
            if let Some(read) = read(&xml) {
                let json = serde_json::to_string(&read).unwrap();
                prop_assert!(json.len() <= xml.len() * 60);
            }
        }
    }
}
