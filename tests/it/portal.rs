//! A person at the portal, without a browser: fills the forms in and presses the buttons.

use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use url::Url;

/// What the person does on the consent page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Approve,
    Deny,
}

/// The first form of a page.
pub(crate) struct Form {
    pub(crate) action: Url,
    pub(crate) fields: Vec<(String, String)>,
}

/// Signs in and decides; gives the address to which the browser is sent at the end.
pub(crate) async fn sign_in(
    authorization_url: &str,
    username: &str,
    password: &str,
    patient: Option<&str>,
    decision: Decision,
) -> String {
    let browser = reqwest::Client::builder().redirect(Policy::none());
    sign_in_by(
        browser,
        authorization_url,
        (username, password),
        patient,
        decision,
    )
    .await
}

/// The same by a browser that was set up elsewhere; it must not follow redirects.
pub(crate) async fn sign_in_by(
    browser: reqwest::ClientBuilder,
    authorization_url: &str,
    (username, password): (&str, &str),
    patient: Option<&str>,
    decision: Decision,
) -> String {
    let browser = browser.build().expect("a browser");
    let mut cookies: Vec<String> = Vec::new();
    let mut url = Url::parse(authorization_url).expect("the authorization URL");
    let mut post: Option<Vec<(String, String)>> = None;
    for _ in 0..12 {
        let request = match post.take() {
            Some(fields) => browser.post(url.clone()).form(&fields),
            None => browser.get(url.clone()),
        };
        let answer = request
            .header("Cookie", cookies.join("; "))
            .send()
            .await
            .expect("the portal answers");
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let pair = cookie
                .to_str()
                .expect("a cookie")
                .split(';')
                .next()
                .unwrap_or_default();
            let name = pair.split('=').next().unwrap_or_default();
            cookies.retain(|kept| !kept.starts_with(&format!("{name}=")));
            cookies.push(pair.to_owned());
        }
        if answer.status().is_redirection() {
            let location = answer.headers()[LOCATION]
                .to_str()
                .expect("a location")
                .to_owned();
            let target = url.join(&location).expect("a URL");
            if target.origin() != url.origin() || target.path().starts_with("/callback/") {
                return location;
            }
            url = target;
            continue;
        }
        let status = answer.status();
        let page = answer.text().await.expect("a page");
        assert!(status.is_success(), "the portal answered {status}: {page}");
        let form = read_form(&page, &url);
        url = form.action.clone();
        post = Some(fill_in(form, &page, username, password, patient, decision));
    }
    panic!("the portal never came to an end");
}

fn fill_in(
    form: Form,
    page: &str,
    username: &str,
    password: &str,
    patient: Option<&str>,
    decision: Decision,
) -> Vec<(String, String)> {
    let mut fields = form.fields;
    if page.contains("name=\"username\"") {
        fields.push(("username".into(), username.into()));
        fields.push(("password".into(), password.into()));
    }
    if let (true, Some(patient)) = (page.contains("name=\"patient\""), patient) {
        fields.retain(|(name, _)| name != "patient");
        fields.push(("patient".into(), patient.into()));
    }
    let button = match decision {
        Decision::Approve => "approve",
        Decision::Deny => "deny",
    };
    if page.contains(&format!("name=\"{button}\"")) {
        fields.push((button.into(), "yes".into()));
    }
    fields
}

/// The first form of a page: hidden fields, ticked boxes.
pub(crate) fn read_form(page: &str, url: &Url) -> Form {
    let start = page
        .find("<form")
        .unwrap_or_else(|| panic!("no form in {page}"));
    let form = &page[start..];
    let form = &form[..form.find("</form>").expect("the form ends")];
    let tag = &form[..form.find('>').expect("the tag ends")];
    let action = attribute(tag, "action").unwrap_or_else(|| url.to_string());
    let mut fields = Vec::new();
    for input in form.split("<input").skip(1) {
        let tag = &input[..input.find('>').expect("the tag ends")];
        let kind = attribute(tag, "type").unwrap_or_default();
        let ticked = matches!(kind.as_str(), "checkbox" | "radio") && tag.contains("checked");
        if kind == "hidden" || ticked {
            let name = attribute(tag, "name").unwrap_or_default();
            fields.push((name, attribute(tag, "value").unwrap_or_default()));
        }
    }
    Form {
        action: url.join(&action).expect("an action"),
        fields,
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = &tag[start..];
    let value = &value[..value.find('"')?];
    Some(
        value
            .replace("&amp;", "&")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">"),
    )
}
