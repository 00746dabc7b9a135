//! The summary of a chart as an HL7 C-CDA R2.1 Continuity of Care Document.

use super::calendar::Moment;
use super::chart::{Chart, Fact};
use super::person::Sex;
use super::registry;
use super::visits::Visit;

const ROOT: &str = "2.16.840.1.113883.19.5.99999";

/// The document, as of `at`, with `visit` as the service that it documents.
pub(super) fn document(chart: &Chart<'_>, visit: &Visit, at: Moment) -> String {
    let time = at.day.compact();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str("<ClinicalDocument xmlns=\"urn:hl7-org:v3\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:sdtc=\"urn:hl7-org:sdtc\">\n");
    out.push_str("<realmCode code=\"US\"/><typeId root=\"2.16.840.1.113883.1.3\" extension=\"POCD_HD000040\"/>\n");
    out.push_str("<templateId root=\"2.16.840.1.113883.10.20.22.1.1\" extension=\"2015-08-01\"/><templateId root=\"2.16.840.1.113883.10.20.22.1.2\" extension=\"2015-08-01\"/>\n");
    out.push_str(&format!(
        "<id root=\"{ROOT}\" extension=\"CCD-{}\"/>\n",
        chart.person.base
    ));
    out.push_str("<code code=\"34133-9\" codeSystem=\"2.16.840.1.113883.6.1\" codeSystemName=\"LOINC\" displayName=\"Summarization of Episode Note\"/>\n");
    out.push_str(&format!(
        "<title>Continuity of Care Document: {}</title>\n<effectiveTime value=\"{time}\"/>\n",
        escape(&chart.person.display_name())
    ));
    out.push_str("<confidentialityCode code=\"N\" codeSystem=\"2.16.840.1.113883.5.25\"/><languageCode code=\"en-US\"/>\n");
    out.push_str(&record_target(chart));
    out.push_str(&author(visit, &time));
    out.push_str(&format!(
        "<documentationOf><serviceEvent classCode=\"PCPR\"><effectiveTime><low value=\"{}\"/><high value=\"{time}\"/></effectiveTime></serviceEvent></documentationOf>\n",
        chart.person.birth.compact()
    ));
    out.push_str("<component><structuredBody>\n");
    let facts = &chart.facts;
    out.push_str(&section(&ALLERGIES, &facts.allergies));
    out.push_str(&section(&MEDICATIONS, &facts.medications));
    out.push_str(&section(&PROBLEMS, &facts.problems));
    let recent = facts.results.len().saturating_sub(40);
    out.push_str(&section(&RESULTS, &facts.results[recent..]));
    out.push_str(&section(&IMMUNIZATIONS, &facts.immunizations));
    out.push_str("</structuredBody></component>\n</ClinicalDocument>\n");
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn record_target(chart: &Chart<'_>) -> String {
    let person = chart.person;
    let (code, display) = if person.sex == Sex::Female {
        ("F", "Female")
    } else {
        ("M", "Male")
    };
    let given: Vec<String> = person
        .given
        .iter()
        .map(|name| format!("<given>{}</given>", escape(name)))
        .collect();
    format!(
        "<recordTarget><patientRole><id root=\"{ROOT}.2\" extension=\"MRN{:07}\"/>\n<addr use=\"HP\"><streetAddressLine>{}</streetAddressLine><city>{}</city><state>MA</state><postalCode>{}</postalCode><country>US</country></addr>\n<telecom use=\"MC\" value=\"tel:+1-{}\"/>\n<patient><name use=\"L\">{}<family>{}</family></name><administrativeGenderCode code=\"{code}\" displayName=\"{display}\" codeSystem=\"2.16.840.1.113883.5.1\"/><birthTime value=\"{}\"/></patient></patientRole></recordTarget>\n",
        person.base,
        escape(&person.street),
        person.town.0,
        person.town.1,
        person.phone,
        given.join(""),
        escape(&person.family),
        person.birth.compact()
    )
}

fn author(visit: &Visit, time: &str) -> String {
    let name = escape(&registry::doctor(visit.doctor).display_name());
    let id = registry::doctor(visit.doctor).id();
    format!(
        "<author><time value=\"{time}\"/><assignedAuthor><id root=\"{ROOT}.4\" extension=\"{id}\"/><addr nullFlavor=\"NI\"/><telecom nullFlavor=\"NI\"/><assignedPerson><name>{name}</name></assignedPerson></assignedAuthor></author>\n<custodian><assignedCustodian><representedCustodianOrganization><id root=\"{ROOT}.1\"/><name>Harbor Street Family Medicine</name><telecom use=\"WP\" value=\"tel:+1-617-555-0110\"/><addr><streetAddressLine>118 Harbor Street</streetAddressLine><city>Boston</city><state>MA</state><postalCode>02118</postalCode><country>US</country></addr></representedCustodianOrganization></assignedCustodian></custodian>\n"
    )
}

struct Section {
    template: &'static str,
    code: &'static str,
    title: &'static str,
    entry: fn(&Fact, usize) -> String,
}

const ALLERGIES: Section = Section {
    template: "2.16.840.1.113883.10.20.22.2.6.1",
    code: "48765-2",
    title: "Allergies",
    entry: allergy,
};
const MEDICATIONS: Section = Section {
    template: "2.16.840.1.113883.10.20.22.2.1.1",
    code: "10160-0",
    title: "Medications",
    entry: medication,
};
const PROBLEMS: Section = Section {
    template: "2.16.840.1.113883.10.20.22.2.5.1",
    code: "11450-4",
    title: "Problems",
    entry: problem,
};
const RESULTS: Section = Section {
    template: "2.16.840.1.113883.10.20.22.2.3.1",
    code: "30954-2",
    title: "Results",
    entry: result,
};
const IMMUNIZATIONS: Section = Section {
    template: "2.16.840.1.113883.10.20.22.2.2.1",
    code: "11369-6",
    title: "Immunizations",
    entry: immunization,
};

fn section(section: &Section, facts: &[Fact]) -> String {
    let Section {
        template,
        code,
        title,
        entry,
    } = section;
    let mut out = format!(
        "<component><section{}><templateId root=\"{template}\" extension=\"2015-08-01\"/><code code=\"{code}\" codeSystem=\"2.16.840.1.113883.6.1\"/><title>{title}</title>\n",
        if facts.is_empty() {
            " nullFlavor=\"NI\""
        } else {
            ""
        }
    );
    if facts.is_empty() {
        out.push_str("<text>Nothing known</text></section></component>\n");
        return out;
    }
    out.push_str(
        "<text><table><thead><tr><th>What</th><th>When</th><th>Value</th></tr></thead><tbody>\n",
    );
    for (position, fact) in facts.iter().enumerate() {
        let value = fact
            .value
            .as_ref()
            .map_or(String::new(), |(value, unit)| format!("{value} {unit}"));
        out.push_str(&format!(
            "<tr ID=\"{title}{position}\"><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            escape(&fact.text),
            fact.date,
            escape(&value)
        ));
    }
    out.push_str("</tbody></table></text>\n");
    for (position, fact) in facts.iter().enumerate() {
        out.push_str(&entry(fact, position));
    }
    out.push_str("</section></component>\n");
    out
}

fn coded(element: &str, fact: &Fact) -> String {
    format!(
        "<{element} code=\"{}\" codeSystem=\"{}\" displayName=\"{}\"",
        fact.code,
        fact.oid,
        escape(&fact.text)
    )
}

fn low(fact: &Fact) -> String {
    format!(
        "<effectiveTime><low value=\"{}\"/></effectiveTime>",
        fact.date
    )
}

fn id(kind: &str, position: usize) -> String {
    format!("<id root=\"{ROOT}.3\" extension=\"{kind}-{position}\"/>")
}

fn allergy(fact: &Fact, position: usize) -> String {
    format!(
        "<entry typeCode=\"DRIV\"><act classCode=\"ACT\" moodCode=\"EVN\"><templateId root=\"2.16.840.1.113883.10.20.22.4.30\" extension=\"2015-08-01\"/>{}<code code=\"CONC\" codeSystem=\"2.16.840.1.113883.5.6\"/><statusCode code=\"active\"/>{time}<entryRelationship typeCode=\"SUBJ\"><observation classCode=\"OBS\" moodCode=\"EVN\"><templateId root=\"2.16.840.1.113883.10.20.22.4.7\" extension=\"2014-06-09\"/>{}<code code=\"ASSERTION\" codeSystem=\"2.16.840.1.113883.5.4\"/><statusCode code=\"completed\"/>{time}<value xsi:type=\"CD\" code=\"419199007\" codeSystem=\"2.16.840.1.113883.6.96\" displayName=\"Allergy to substance (finding)\"/><participant typeCode=\"CSM\"><participantRole classCode=\"MANU\"><playingEntity classCode=\"MMAT\">{}/></playingEntity></participantRole></participant></observation></entryRelationship></act></entry>\n",
        id("allergy-act", position),
        id("allergy", position),
        coded("code", fact),
        time = low(fact)
    )
}

fn medication(fact: &Fact, position: usize) -> String {
    format!(
        "<entry typeCode=\"DRIV\"><substanceAdministration classCode=\"SBADM\" moodCode=\"EVN\"><templateId root=\"2.16.840.1.113883.10.20.22.4.16\" extension=\"2014-06-09\"/>{}<statusCode code=\"active\"/><effectiveTime xsi:type=\"IVL_TS\"><low value=\"{}\"/></effectiveTime><consumable><manufacturedProduct classCode=\"MANU\"><templateId root=\"2.16.840.1.113883.10.20.22.4.23\" extension=\"2014-06-09\"/><manufacturedMaterial>{}/></manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration></entry>\n",
        id("medication", position),
        fact.date,
        coded("code", fact)
    )
}

fn problem(fact: &Fact, position: usize) -> String {
    format!(
        "<entry typeCode=\"DRIV\"><act classCode=\"ACT\" moodCode=\"EVN\"><templateId root=\"2.16.840.1.113883.10.20.22.4.3\" extension=\"2015-08-01\"/>{}<code code=\"CONC\" codeSystem=\"2.16.840.1.113883.5.6\"/><statusCode code=\"active\"/>{time}<entryRelationship typeCode=\"SUBJ\"><observation classCode=\"OBS\" moodCode=\"EVN\"><templateId root=\"2.16.840.1.113883.10.20.22.4.4\" extension=\"2015-08-01\"/>{}<code code=\"64572001\" codeSystem=\"2.16.840.1.113883.6.96\" displayName=\"Disease (disorder)\"/><statusCode code=\"completed\"/>{time}{}  xsi:type=\"CD\"/></observation></entryRelationship></act></entry>\n",
        id("problem-act", position),
        id("problem", position),
        coded("value", fact),
        time = low(fact)
    )
}

fn result(fact: &Fact, position: usize) -> String {
    let (value, unit) = fact.value.clone().unwrap_or_default();
    let time = format!("<effectiveTime value=\"{}\"/>", fact.date);
    format!(
        "<entry typeCode=\"DRIV\"><organizer classCode=\"BATTERY\" moodCode=\"EVN\"><templateId root=\"2.16.840.1.113883.10.20.22.4.1\" extension=\"2015-08-01\"/>{}{}/><statusCode code=\"completed\"/><component><observation classCode=\"OBS\" moodCode=\"EVN\"><templateId root=\"2.16.840.1.113883.10.20.22.4.2\" extension=\"2015-08-01\"/>{}{}/><statusCode code=\"completed\"/>{time}<value xsi:type=\"PQ\" value=\"{value}\" unit=\"{unit}\"/></observation></component></organizer></entry>\n",
        id("battery", position),
        coded("code", fact),
        id("result", position),
        coded("code", fact)
    )
}

fn immunization(fact: &Fact, position: usize) -> String {
    format!(
        "<entry typeCode=\"DRIV\"><substanceAdministration classCode=\"SBADM\" moodCode=\"EVN\" negationInd=\"false\"><templateId root=\"2.16.840.1.113883.10.20.22.4.52\" extension=\"2015-08-01\"/>{}<statusCode code=\"completed\"/><effectiveTime value=\"{}\"/><consumable><manufacturedProduct classCode=\"MANU\"><templateId root=\"2.16.840.1.113883.10.20.22.4.54\" extension=\"2014-06-09\"/><manufacturedMaterial>{}/></manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration></entry>\n",
        id("immunization", position),
        fact.date,
        coded("code", fact)
    )
}
